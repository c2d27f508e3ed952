import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { messageOf } from '../../platform/errors.ts';

/** Content of a file: at once, or as it is read. */
export type SeriesBytes = Uint8Array | AsyncIterable<Uint8Array>;

/** A file that is no series of ours at all; single bad rows are only counted. */
export class SeriesError extends Error {
  override readonly name = 'SeriesError';
}

/** What a compressed file may unpack to. */
const CONTENT_BYTES_MAX = 128 * 1_048_576;
const LINE_CHARS_MAX = 4_096;

/**
 * Reads the lines of a CSV or gzipped CSV and gives each line's cells, blank lines left out. Quotes mean nothing to the parser,
 * so that one stray quote cannot swallow the lines after it; a cell that is quoted as a whole is stripped of them.
 * Returns the SHA-256 of the uncompressed content, in hex.
 * @throws SeriesError when the content cannot be unpacked or is not text in lines.
 */
export async function readCsvRows(bytes: SeriesBytes, row: (cells: string[]) => void): Promise<string> {
  const hash = createHash('sha256');
  let size = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      size += chunk.length;
      if (size > CONTENT_BYTES_MAX) done(new SeriesError(`unpacks to more than ${CONTENT_BYTES_MAX} bytes; split it`));
      else {
        hash.update(chunk);
        done(null, chunk);
      }
    },
  });
  const parser = parse({
    quote: null,
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
    trim: true,
    max_record_size: LINE_CHARS_MAX,
  });
  const { source, gzipped } = await peek(bytes);
  const done = new Promise<void>((resolve, reject) => {
    const ended = (error: Error | null | undefined): void => {
      if (error === null || error === undefined) resolve();
      else reject(error instanceof SeriesError ? error : new SeriesError(`cannot be read: ${messageOf(error)}`));
    };
    if (gzipped) pipeline(source, createGunzip(), counting, parser, ended);
    else pipeline(source, counting, parser, ended);
    parser.on('readable', () => {
      try {
        for (let cells: unknown = parser.read(); cells !== null; cells = parser.read()) {
          if (Array.isArray(cells)) row(cells.map(unquoted));
        }
      } catch (thrown) {
        parser.destroy(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
      }
    });
  });
  await done;
  return hash.digest('hex');
}

async function peek(bytes: SeriesBytes): Promise<{ source: Readable; gzipped: boolean }> {
  if (bytes instanceof Uint8Array) return { source: Readable.from([Buffer.from(bytes)]), gzipped: isGzip(bytes) };
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return { source: Readable.from([]), gzipped: false };
  const all = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  return { source: Readable.from(all()), gzipped: isGzip(first.value) };
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unquoted(cell: unknown): string {
  const text = String(cell);
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}
