import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '@bufbuild/protobuf';
import type { GoldenRelease } from '../golden/check.ts';
import type { GoldenFrame } from '../golden/frame.ts';
import { readSchema } from '../schema/image.ts';
import type { Transcript } from '../transcripts/transcript.ts';
import { documentOf } from '../schema/json.ts';

const CONTRACTS = fileURLToPath(new URL('../', import.meta.url));
/** Where today's pacts stand, and where a release's do within its folder. */
export const PACTS = join(CONTRACTS, 'pacts');

/** One released executor: everything that it says, hears and needs, as it was when it was released. */
export interface Release extends GoldenRelease {
  /** As its executors report it in Hello. */
  readonly digest: string;
  readonly directory: string;
  readonly imageFile: string;
  readonly pactFiles: readonly string[];
  readonly transcripts: readonly Transcript[];
  /** Last day of its support, such as "2028-12-31". */
  readonly supportedUntil: string;
}

export interface ReleaseFacts {
  readonly version: string;
  readonly digest: string;
}

type Support = Readonly<Record<string, { readonly supportedUntil: string }>>;

export function releaseDirectory(version: string): string {
  return join(CONTRACTS, 'releases', version);
}

export const SUPPORT_FILE = join(CONTRACTS, 'support.json');

export async function readJson<T>(file: string): Promise<T> {
  return documentOf<T>(await readFile(file, 'utf8'));
}

/** What is supported, by version. */
export function readSupport(): Promise<Support> {
  return readJson<Support>(SUPPORT_FILE);
}

/** All releases whose support has not ended on `today`, oldest first. @throws Error naming a supported release without a baseline */
export async function supportedReleases(today: string): Promise<Release[]> {
  const supported = Object.entries(await readSupport()).filter(([, { supportedUntil }]) => supportedUntil >= today);
  const releases = await Promise.all(
    supported.map(([version, { supportedUntil }]) => readRelease(version, supportedUntil)),
  );
  return releases.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

async function readRelease(version: string, supportedUntil: string): Promise<Release> {
  const directory = releaseDirectory(version);
  const pacts = join(directory, 'pacts');
  try {
    const facts = await readJson<ReleaseFacts>(join(directory, 'release.json'));
    const transcripts = join(directory, 'transcripts');
    const pactFiles = (await readdir(pacts)).toSorted().map((name) => join(pacts, name));
    return {
      ...facts,
      directory,
      supportedUntil,
      imageFile: join(directory, 'image.binpb'),
      schema: await readSchema(join(directory, 'image.binpb')),
      golden: await readJson<GoldenFrame[]>(join(directory, 'frames.json')),
      needs: await needsIn(pactFiles),
      pactFiles,
      transcripts: await Promise.all(
        (await readdir(transcripts)).toSorted().map((name) => readJson<Transcript>(join(transcripts, name))),
      ),
    };
  } catch (thrown) {
    throw new Error(
      `contracts/support.json says that ${version} is supported, and contracts/releases/${version} cannot be read; make it with npm run contracts:release ${version}, or take it out of the list`,
      { cause: thrown },
    );
  }
}

interface PactMessages {
  readonly interactions: readonly {
    readonly description: string;
    readonly contents?: { readonly content: JsonValue };
  }[];
}

/** What the executor's pact asks of each frame. */
async function needsIn(pactFiles: readonly string[]): Promise<ReadonlyMap<string, JsonValue>> {
  const file = pactFiles.find((name) => name.endsWith('executor-platform.json'));
  if (file === undefined) return new Map();
  const { interactions } = await readJson<PactMessages>(file);
  return new Map(
    interactions.flatMap(({ description, contents }) =>
      contents === undefined ? [] : [[description, contents.content] as const],
    ),
  );
}
