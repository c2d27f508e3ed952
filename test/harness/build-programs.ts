import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';
import { serviceEntry } from '../../deploy/local/service-environment.ts';
import { CLI_SOURCE, SERVICES } from './programs.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** Beside the packages that they are built from: found again by the next run, gone with `npm ci`. */
const BUILDS = join(REPOSITORY, 'node_modules', '.cache', 'strategos-programs');
const UNUSED_MS_MAX = 24 * 60 * 60 * 1_000;
/** What the programs are built from, with which versions of packages, and how. */
const SOURCES = ['services', 'deploy', 'proto/gen', 'contracts'];
const SINGLE_SOURCES = ['package.json', 'package-lock.json', 'test/harness/build-programs.ts'];

/**
 * Folder with all programs, built unless that has been done from these very sources; undefined when nothing can be written
 * there.
 * @throws Error of the bundler.
 */
export async function builtPrograms(): Promise<string | undefined> {
  const folder = join(BUILDS, await sourceDigest());
  if (!existsSync(folder) && !(await buildInto(folder))) return undefined;
  const now = new Date();
  await utimes(folder, now, now).catch(() => undefined);
  await prune(folder);
  return folder;
}

/** False when nothing can be written there. */
async function buildInto(folder: string): Promise<boolean> {
  const directory = join(BUILDS, `building-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(directory, { recursive: true });
  } catch {
    return false;
  }
  try {
    await writePrograms(directory);
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }\n');
    // Who builds is not always who runs them next.
    await chmod(directory, 0o755);
    await rename(directory, folder);
  } catch (thrown) {
    await rm(directory, { recursive: true, force: true });
    // Another run was faster; what it has built is the same.
    if (!existsSync(folder)) throw thrown;
  }
  return true;
}

async function writePrograms(directory: string): Promise<void> {
  await build({
    configFile: false,
    root: REPOSITORY,
    logLevel: 'error',
    plugins: [placesOfSources()],
    // A service brings its schema up to date with it at its first start alone, and it looks for files of its own.
    ssr: { noExternal: true, external: ['node-pg-migrate', 'vite'] },
    build: {
      ssr: true,
      outDir: directory,
      emptyOutDir: false,
      minify: false,
      target: 'node24',
      rolldownOptions: {
        input: {
          strategos: CLI_SOURCE.entry,
          ...Object.fromEntries(SERVICES.map((name) => [name, serviceEntry(name)])),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: 'part-[hash].js' },
      },
    },
  });
}

/** A source goes on finding the files beside it where it came from. */
function placesOfSources(): Plugin {
  const roots = SOURCES.map((source) => join(REPOSITORY, source, '/'));
  const known = [...roots, ...SINGLE_SOURCES.map((file) => join(REPOSITORY, file))];
  return {
    name: 'places-of-sources',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(REPOSITORY) || id.includes('/node_modules/')) return undefined;
      if (!known.some((place) => id.startsWith(place))) throw new Error(`the digest of a build leaves out ${id}`);
      return code
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)));
    },
  };
}

/**
 * Of all sources and of where they lie: programs go on reading files beside their sources, so those of a clone that was moved or
 * copied, packages and all, are others.
 */
export async function sourceDigest(repository = REPOSITORY): Promise<string> {
  const listings = await Promise.all(
    SOURCES.map(async (source) => {
      const entries = await readdir(join(repository, source), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && /\.(?:ts|js|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
        .map((entry) => relative(repository, join(entry.parentPath, entry.name)));
    }),
  );
  const hash = createHash('sha256').update(`${process.version}\0${repository}\0`);
  for (const file of [...SINGLE_SOURCES, ...listings.flat()].toSorted()) {
    const content = createHash('sha256').update(await readFile(join(repository, file)));
    hash.update(`${file}\0${content.digest('hex')}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Removes builds that no run has used for a day. */
async function prune(used: string): Promise<void> {
  for (const name of await readdir(BUILDS)) {
    const folder = join(BUILDS, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (folder === used || Date.now() - mtimeMs < UNUSED_MS_MAX) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
