import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { documentOf } from '../schema/json.ts';

/** Forms of interactions, as pacts call them. */
export type InteractionType = 'Asynchronous/Messages' | 'Synchronous/Messages' | 'Synchronous/HTTP';

/** One need of a consumer, as a pact holds it. */
export interface Interaction {
  readonly description: string;
  readonly type: InteractionType;
  readonly providerStates?: readonly { readonly name: string }[];
  /** Of a call: where it goes. */
  readonly request?: { readonly path?: string };
}

/** Who needs what of whom. */
export interface PactFile {
  readonly consumer: { readonly name: string };
  readonly provider: { readonly name: string };
  readonly interactions: readonly Interaction[];
}

export async function readPact(file: string): Promise<PactFile> {
  return documentOf<PactFile>(await readFile(file, 'utf8'));
}

/** A file with only those interactions of a pact: its own where they are all, a copy until it is disposed of otherwise. */
export async function narrowPact(
  file: string,
  pact: PactFile,
  interactions: readonly Interaction[],
): Promise<AsyncDisposable & { readonly file: string }> {
  if (interactions.length === pact.interactions.length) return { file, [Symbol.asyncDispose]: async () => undefined };
  const directory = await mkdtemp(join(tmpdir(), 'strategos-pact-'));
  const copy = join(directory, basename(file));
  await writeFile(copy, JSON.stringify({ ...pact, interactions }));
  return { file: copy, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
