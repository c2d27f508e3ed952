import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { contractDigest } from '../../services/platform/grpc/contract-digest.ts';
import { startServers, type TestServers } from '../../test/harness/servers.ts';
import { executorNeeds } from '../consumers/executor-messages.ts';
import { writePacts } from '../consumers/write-pacts.ts';
import { goldenOf, todaysFrames } from '../golden/make.ts';
import { LivePlatform } from '../providers/live-platform.ts';
import { breakingChanges, buildImage } from '../schema/image.ts';
import { record, SCENARIOS } from '../transcripts/scenarios.ts';
import { onlyNeeded } from '../transcripts/transcript.ts';
import { PACTS, readJson, readSupport, releaseDirectory, type ReleaseFacts, SUPPORT_FILE } from './release.ts';
import { sealOf, SEALED_IN } from './seal.ts';

const VERSION = /^\d+\.\d+\.\d+$/;
/** How long a release is supported unless support.json says otherwise. */
const SUPPORTED_YEARS = 2;
/** What the command service and the command line know of releases: nothing that ships imports contracts/. */
export const SUPPORTED_FILES: readonly string[] = ['command/link', 'cli'].map((folder) =>
  fileURLToPath(new URL(`../../services/${folder}/supported-contracts.json`, import.meta.url)),
);

/**
 * Makes the baseline of a release out of what this build is and does. @returns its folder
 * @throws Error when there is one of that version, unless it is `unreleased`: then no agent relies on it, and it is made anew
 */
export async function makeRelease(version: string, { unreleased = false } = {}): Promise<string> {
  if (!VERSION.test(version)) throw new Error(`"${version}" is no version; write one such as 1.2.0`);
  const directory = releaseDirectory(version);
  if (!unreleased && existsSync(directory)) {
    throw new Error(
      `the baseline of ${version} exists, and what agents in the field need does not change: raise the version, or add --unreleased while no agent of ${version} is out`,
    );
  }
  const pacts = await writePacts(PACTS);
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'pacts'), { recursive: true });
  await mkdir(join(directory, 'transcripts'));
  for (const name of pacts) await cp(join(PACTS, name), join(directory, 'pacts', name));
  await writeFile(join(directory, 'image.binpb'), await buildImage());
  const { frames, bodies } = await todaysFrames();
  await writeJson(join(directory, 'frames.json'), [...frames, ...bodies].map(goldenOf));
  const { servers, running } = await startServers();
  try {
    await recordAll(servers, join(directory, 'transcripts'));
  } finally {
    await running.stop();
  }
  const digest = contractDigest(ExecutorLinkService.file);
  const facts: ReleaseFacts = { version, digest, files: await sealOf(directory) };
  await writeJson(join(directory, SEALED_IN), facts);
  await support(version);
  await writeSupported();
  return directory;
}

async function recordAll(servers: TestServers, directory: string): Promise<void> {
  const needs = (await executorNeeds()).map(({ json }) => json);
  for (const scenario of SCENARIOS) {
    await using platform = await LivePlatform.start(servers);
    const transcript = onlyNeeded(await record(scenario, platform), needs);
    await writeJson(join(directory, `${scenario.name}.json`), transcript);
  }
}

async function support(version: string): Promise<void> {
  const supported = await readSupport();
  if (supported[version] !== undefined) return;
  const end = new Date();
  end.setUTCFullYear(end.getUTCFullYear() + SUPPORTED_YEARS);
  await writeJson(SUPPORT_FILE, { ...supported, [version]: { supportedUntil: end.toISOString().slice(0, 10) } });
}

/** Tells what ships which releases there are and until when each is supported. */
export async function writeSupported(): Promise<void> {
  const contracts = await supportedContracts();
  for (const file of SUPPORTED_FILES) await writeJson(file, contracts);
}

/** As the file should be. `differences` is what of the release's wire format this build has not kept. */
export async function supportedContracts() {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-supported-'));
  try {
    const today = join(directory, 'today.binpb');
    await writeFile(today, await buildImage());
    const entries = Object.entries(await readSupport()).map(async ([version, { supportedUntil }]) => {
      const { digest } = await readJson<ReleaseFacts>(join(releaseDirectory(version), SEALED_IN));
      const differences = await breakingChanges(today, join(releaseDirectory(version), 'image.binpb'));
      return { version, digest, supportedUntil, differences };
    });
    return await Promise.all(entries);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function writeJson(file: string, value: unknown): Promise<void> {
  return writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}
