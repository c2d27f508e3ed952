import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readEnv } from '../../services/platform/environment.ts';

/** Where real market data lie that are no part of this repository. */
const DIRECTORY = readEnv()['STRATEGOS_TEST_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** The bytes of a file of real market data; undefined, and said aloud, where it is not there. */
export function realData(file: string): Uint8Array | undefined {
  const path = `${DIRECTORY}/${file}`;
  if (existsSync(path)) return readFileSync(path);
  process.stderr.write(`SKIPPED: ${path} is not there; name a folder with it in STRATEGOS_TEST_DATA\n`);
  return undefined;
}
