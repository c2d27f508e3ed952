import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { documentOf } from '../schema/json.ts';

/** One need of a consumer, as a pact holds it. */
export interface Interaction {
  readonly description: string;
  readonly type: string;
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

/** The file of a pact of which less is asked: itself when it is the same, a copy until it is disposed of otherwise. */
export async function narrowPact(
  file: string,
  narrowed: PactFile,
): Promise<AsyncDisposable & { readonly file: string }> {
  if (isDeepStrictEqual(await readPact(file), narrowed)) return { file, [Symbol.asyncDispose]: async () => undefined };
  const directory = await mkdtemp(join(tmpdir(), 'strategos-pact-'));
  const copy = join(directory, basename(file));
  await writeFile(copy, JSON.stringify(narrowed));
  return { file: copy, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
