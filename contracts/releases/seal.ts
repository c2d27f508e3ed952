import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** SHA-256, in hexadecimal, of each file of a baseline, by its path below the baseline's folder, such as "pacts/cli-gateway.json". */
export type Seal = Readonly<Record<string, string>>;

/** The file that holds the seal. */
export const SEALED_IN = 'release.json';

/** The seal of what stands in a folder now. A JSON file counts by what it says, however its lines end. */
export async function sealOf(directory: string): Promise<Seal> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sealed = files
    .toSorted()
    .map((file) => ({ file, name: file.slice(directory.length + 1).replaceAll(sep, '/') }))
    .filter(({ name }) => name !== SEALED_IN);
  return Object.fromEntries(
    await Promise.all(sealed.map(async ({ file, name }) => [name, await digestOf(file)] as const)),
  );
}

/** What of a folder is not as it was sealed, a phrase each; empty when all is. */
export async function brokenSeals(directory: string, seal: Seal): Promise<string[]> {
  const found = await sealOf(directory);
  const gone = Object.keys(seal).filter((name) => found[name] === undefined);
  const more = Object.keys(found).filter((name) => seal[name] === undefined);
  const other = Object.keys(seal).filter((name) => found[name] !== undefined && found[name] !== seal[name]);
  return [
    ...gone.map((name) => `${name} is gone`),
    ...more.map((name) => `${name} was not there`),
    ...other.map((name) => `${name} was changed`),
  ];
}

async function digestOf(file: string): Promise<string> {
  const bytes = await readFile(file);
  const content = file.endsWith('.json') ? said(bytes.toString('utf8')) : bytes;
  return createHash('sha256').update(content).digest('hex');
}

/** What is no JSON any more counts as it stands. */
function said(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
