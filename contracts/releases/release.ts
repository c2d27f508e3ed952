import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '@bufbuild/protobuf';
import type { GoldenRelease } from '../golden/check.ts';
import type { GoldenFrame } from '../golden/frame.ts';
import { readSchema } from '../schema/image.ts';
import type { Transcript } from '../transcripts/transcript.ts';
import { documentOf } from '../schema/json.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { brokenSeals, type Seal, SEALED_IN } from './seal.ts';

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
  /** Of all other files of the baseline, which never change. */
  readonly files: Seal;
}

type Support = Readonly<Record<string, { readonly supportedUntil: string }>>;

/** @param contracts the folder of all contracts; default: this repository's, as everywhere below */
export function releaseDirectory(version: string, contracts = CONTRACTS): string {
  return join(contracts, 'releases', version);
}

export const SUPPORT_FILE = join(CONTRACTS, 'support.json');

export async function readJson<T>(file: string): Promise<T> {
  return documentOf<T>(await readFile(file, 'utf8'));
}

/** What is supported, by version. @throws Error naming a release whose last day is none */
export async function readSupport(contracts = CONTRACTS): Promise<Support> {
  const support = await readJson<Support>(join(contracts, 'support.json'));
  for (const [version, { supportedUntil }] of Object.entries(support)) {
    // Days are compared as texts: one in another form would be over at once, or never.
    if (!isDay(supportedUntil))
      throw new Error(
        `contracts/support.json says that ${version} is supported until "${supportedUntil}"; write a day such as "2028-12-31"`,
      );
  }
  return support;
}

function isDay(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * All releases whose support has not ended on `today`, oldest first.
 * @throws Error naming a supported release whose baseline is not there, or not as it was when it was released
 */
export async function supportedReleases(today: string, contracts = CONTRACTS): Promise<Release[]> {
  const supported = Object.entries(await readSupport(contracts)).filter(
    ([, { supportedUntil }]) => supportedUntil >= today,
  );
  const releases = await Promise.all(
    supported.map(([version, { supportedUntil }]) => readRelease(version, supportedUntil, contracts)),
  );
  return releases.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

async function readRelease(version: string, supportedUntil: string, contracts: string): Promise<Release> {
  const directory = releaseDirectory(version, contracts);
  const pacts = join(directory, 'pacts');
  try {
    const facts = await readJson<ReleaseFacts>(join(directory, SEALED_IN));
    const broken = await brokenSeals(directory, facts.files);
    if (broken.length > 0) throw new Error(broken.join('; '));
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
      `contracts/support.json says that ${version} is supported, and contracts/releases/${version} is not as it was released: ${messageOf(thrown)}; bring it back from version control, or end its support; while no agent of it is out, npm run contracts:release ${version} -- --unreleased makes it anew`,
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
