import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** Beside the packages that it is built from: there for every gateway of this installation, gone with `npm ci`. */
const BUILDS = join(REPOSITORY, 'node_modules', '.cache', 'strategos-console');
const BUILDER = join(REPOSITORY, 'services', 'console', 'build.ts');
const BUILD_MS_MAX = 120_000;
/** Builds of other sources that are kept, for gateways that still serve them. */
const OLD_BUILDS_MAX = 4;

/**
 * Folder with the built console. What is built is named by the digest of its sources, so it is never stale; the first to ask
 * for it builds it, in a process of its own, in a few seconds.
 * @throws Error when the bundler fails.
 */
export async function builtConsole(): Promise<string> {
  const digest = await sourceDigest();
  const wanted = join(BUILDS, digest);
  if (existsSync(join(wanted, 'index.html'))) return wanted;
  const directory = await freshDirectory();
  await build(directory);
  if (!directory.startsWith(BUILDS)) return directory;
  await publish(directory, wanted);
  await prune(digest);
  return wanted;
}

async function build(directory: string): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', BUILDER, directory], {
      cwd: REPOSITORY,
      timeout: BUILD_MS_MAX,
      // Nothing of this process's environment is its business.
      env: { NODE_ENV: 'production' },
    });
  } catch (thrown) {
    await rm(directory, { recursive: true, force: true });
    throw thrown;
  }
}

/** SHA-256 over every file that goes into the console, and the versions of what it is built with. */
async function sourceDigest(): Promise<string> {
  const listed = await Promise.all(
    ['services/console', 'proto/gen'].map(async (folder) => {
      const entries = await readdir(join(REPOSITORY, folder), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  const sources = listed.flat().filter((file) => !/\.(?:test\.ts|d\.ts)$/.test(file));
  const hash = createHash('sha256');
  for (const file of [...sources.toSorted(), join(REPOSITORY, 'package-lock.json')]) {
    const content = createHash('sha256').update(await readFile(file));
    hash.update(`${relative(REPOSITORY, file)}\0${content.digest('hex')}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** An installation that cannot be written to builds into a private folder, once a process. */
async function freshDirectory(): Promise<string> {
  try {
    await mkdir(BUILDS, { recursive: true });
    return await mkdtemp(join(BUILDS, 'building-'));
  } catch {
    return mkdtemp(join(tmpdir(), 'strategos-console-'));
  }
}

async function publish(built: string, wanted: string): Promise<void> {
  try {
    // Who installs and builds is not always who runs it.
    await chmod(built, 0o755);
    await rename(built, wanted);
  } catch (thrown) {
    // Another gateway was faster; what it has built is the same.
    if (!existsSync(join(wanted, 'index.html'))) throw thrown;
    await rm(built, { recursive: true, force: true });
  }
}

async function prune(digest: string): Promise<void> {
  const entries = await readdir(BUILDS, { withFileTypes: true });
  const others = entries.filter(({ name }) => name !== digest && !name.startsWith('building-'));
  const old = others.slice(0, Math.max(0, others.length - OLD_BUILDS_MAX));
  await Promise.all(old.map(({ name }) => rm(join(BUILDS, name), { recursive: true, force: true })));
}
