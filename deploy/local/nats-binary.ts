import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readEnv } from '../../services/platform/environment.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { fetchDebianPackage, fetchRelease, pinnedRelease } from './nats-download.ts';

const run = promisify(execFile);

const PROGRAM = 'nats-server';
/** Where packages put it; not everybody's PATH has these. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/opt/homebrew/bin'];

/**
 * Finds a nats-server that runs here: on the PATH, kept in the data folder, kept in the user's cache, or fetched into the
 * data folder without root: Debian's package, then the pinned release.
 * @throws Error saying what was tried and what to install.
 */
export async function natsBinary(dataDirectory: string): Promise<string> {
  const env = readEnv();
  const onPath = [...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), ...USUAL_FOLDERS];
  const kept = join(dataDirectory, 'nats', PROGRAM);
  const cached = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'strategos', PROGRAM);
  for (const candidate of [...onPath.map((folder) => join(folder, PROGRAM)), kept]) {
    if ((await failureOf(candidate)) === undefined) return candidate;
  }
  if ((await failureOf(cached)) === undefined) return keep(cached, kept);

  const tried: string[] = [];
  for (const [source, fetchInto] of sources()) {
    const directory = join(dataDirectory, 'nats', `fetched-${process.pid}`);
    try {
      const fetched = await fetchInto(directory);
      const failure = await failureOf(fetched);
      if (failure !== undefined) throw new Error(failure);
      await keep(fetched, kept);
      await keepForLater(kept, cached);
      return kept;
    } catch (thrown) {
      tried.push(`${source}: ${firstLine(messageOf(thrown))}`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw new Error(
    `no nats-server found on the PATH and none could be fetched (${tried.join('; ')}); install it (apt install nats-server, brew install nats-server, https://nats.io/download), or set NATS_URL to a running one`,
  );
}

function sources(): readonly (readonly [string, (directory: string) => Promise<string>])[] {
  const release = pinnedRelease();
  return [
    ...(process.platform === 'linux' ? [['Debian package', fetchDebianPackage] as const] : []),
    ...(release === undefined ? [] : [['release', (directory: string) => fetchRelease(release, directory)] as const]),
  ];
}

/** Why the program does not run; undefined when it does. */
async function failureOf(program: string): Promise<string | undefined> {
  try {
    await run(program, ['--version'], { timeout: 10_000 });
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Copies beside the destination and renames, so that nobody ever runs half a program. */
async function keep(from: string, to: string): Promise<string> {
  await mkdir(dirname(to), { recursive: true });
  const staging = await mkdtemp(`${to}.`);
  try {
    await copyFile(from, join(staging, PROGRAM));
    await rename(join(staging, PROGRAM), to);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return to;
}

/** The cache spares the next data folder a download; without it everything works all the same. */
async function keepForLater(from: string, cached: string): Promise<void> {
  try {
    await keep(from, cached);
  } catch (thrown) {
    console.error(`cannot keep nats-server in ${dirname(cached)} for later: ${messageOf(thrown)}`);
  }
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? text;
}
