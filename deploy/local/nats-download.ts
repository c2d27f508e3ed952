import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DOWNLOAD_MS_MAX = 120_000;

/** An archive of a nats-server release, with the checksum that its bytes must have. */
export interface NatsRelease {
  readonly url: string;
  readonly sha256: string;
  /** The program's path inside the archive. */
  readonly member: string;
}

const VERSION = '2.12.7';
/** Checksums as published with the release; other machines take nats-server from their package manager. */
const CHECKSUMS: Readonly<Record<string, string>> = {
  'linux-amd64': '570d2d627db111e679cc1e6bc57ba78f373ed1769acd8dc9c21c8f62d15b3c52',
  'linux-arm64': '3b9a79986778285c0e5acaba0b1218b72f6159db68fe5b8916a7d846240f9f22',
};

/** The pinned release for this machine, if there is one. */
export function pinnedRelease(
  platform: string = process.platform,
  arch: string = process.arch,
): NatsRelease | undefined {
  const target = `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
  const sha256 = CHECKSUMS[target];
  if (sha256 === undefined) return undefined;
  const stem = `nats-server-v${VERSION}-${target}`;
  return {
    url: `https://github.com/nats-io/nats-server/releases/download/v${VERSION}/${stem}.tar.gz`,
    sha256,
    member: `${stem}/nats-server`,
  };
}

/**
 * Fetches a release into `directory` and returns the program's path.
 * @throws Error when it cannot be fetched or its bytes are not the pinned ones.
 */
export async function fetchRelease(release: NatsRelease, directory: string): Promise<string> {
  const response = await fetch(release.url, { signal: AbortSignal.timeout(DOWNLOAD_MS_MAX) });
  if (!response.ok) throw new Error(`${release.url} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== release.sha256) {
    throw new Error(`${release.url} has checksum ${sha256} instead of ${release.sha256}; nothing was installed`);
  }
  await mkdir(directory, { recursive: true });
  const archive = join(directory, 'nats-server.tar.gz');
  await writeFile(archive, bytes);
  await run('tar', ['-xzf', archive, '-C', directory, release.member]);
  return join(directory, release.member);
}

/**
 * Fetches Debian's package into `directory` and unpacks it there, without root and without touching the system: when the
 * machine's package lists are missing, private ones are fetched beside it. Returns the program's path.
 * @throws Error when apt-get or dpkg is missing or the package cannot be had.
 */
export async function fetchDebianPackage(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  try {
    await apt(directory, [], ['download', 'nats-server']);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')
      throw new Error('there is no apt-get', { cause: thrown });
    const lists = await privateLists(directory);
    await apt(directory, lists, ['update']);
    await apt(directory, lists, ['download', 'nats-server']);
  }
  const packages = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
  const [first] = packages;
  if (first === undefined) throw new Error('apt-get download left no package');
  await run('dpkg', ['-x', join(directory, first), join(directory, 'unpacked')]);
  return join(directory, 'unpacked', 'usr', 'sbin', 'nats-server');
}

async function privateLists(directory: string): Promise<readonly string[]> {
  const state = join(directory, 'apt-state');
  const cache = join(directory, 'apt-cache');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  return [
    `Dir::State=${state}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${cache}`,
    // Root's downloads would otherwise be handed to a user that cannot reach this folder.
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
}

async function apt(cwd: string, options: readonly string[], command: readonly string[]): Promise<void> {
  await run('apt-get', ['--quiet', '--quiet', ...options, ...command], { cwd, timeout: DOWNLOAD_MS_MAX });
}
