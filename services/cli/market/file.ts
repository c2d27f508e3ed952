import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { hasCode } from '../../../deploy/local/process-record.ts';
import { messageOf } from '../../platform/errors.ts';
import { usageError } from '../terminal/errors.ts';

const compress = promisify(gzip);

/** A file of prices as it is sent. */
export interface SeriesFile {
  /** Gzipped. */
  readonly content: Uint8Array;
  /** Begin of the SHA-256 of the file, in hex: enough to tell two files of one name apart. */
  readonly mark: string;
}

/** @throws CliError usage when it cannot be read. */
export async function readSeriesFile(path: string): Promise<SeriesFile> {
  try {
    const bytes = await readFile(path);
    const mark = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    return { content: bytes[0] === 0x1f && bytes[1] === 0x8b ? bytes : await compress(bytes), mark };
  } catch (thrown) {
    const why = hasCode(thrown, 'ENOENT') ? 'there is no such file' : messageOf(thrown);
    throw usageError(`${path} cannot be read: ${why}`, thrown);
  }
}

/** A dataset's name from a file's: without the folder and what says that it is a CSV. */
export function datasetName(path: string): string {
  const name = basename(path)
    .replace(/(\.csv)?(\.gz)?$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 80);
  return name === '' ? 'dataset' : name;
}
