import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readEnv } from '../../platform/environment.ts';
import { readSeries, type Series } from './read-series.ts';

/** Where real market data for tests is: beside the repository, unless STRATEGOS_TEST_DATA says otherwise. */
function folder(): string {
  return readEnv()['STRATEGOS_TEST_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/data');
}

/** Path of a file of real market data; undefined, and said loudly, when it is not there. */
export function realFile(name: string): string | undefined {
  const path = join(folder(), name);
  if (existsSync(path)) return path;
  process.stderr.write(`SKIPPED: no real market data at ${path}; set STRATEGOS_TEST_DATA to the folder that has it\n`);
  return undefined;
}

/** A series of real market data; see `realFile`. */
export async function realSeries(path: string): Promise<Series> {
  return readSeries(await readFile(path));
}
