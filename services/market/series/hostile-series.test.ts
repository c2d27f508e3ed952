import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSeries, SeriesError } from './read-series.ts';

const MIB = 1_048_576;
const HEADER = 'timestamp_ms,open,high,low,close,volume';
const ROW = '1700000000000,1,1,1,1,1';
const GZIP_MAGIC = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
const BOMB_MS_MAX = 60_000;
const BOMB_HEAP_BYTES_MAX = 700 * MIB;

/** What became of a file: read, or refused in words. Anything else is a defect, and thrown. */
async function read(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  try {
    const { events, rows } = await readSeries(bytes);
    expect(events.length).toBeGreaterThan(0);
    expect(events.length).toBeLessThanOrEqual(rows);
    return 'read';
  } catch (thrown) {
    if (!(thrown instanceof SeriesError)) throw thrown;
    expect(thrown.message).not.toBe('');
    return thrown.message;
  }
}

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Eight MiB of gzip that unpack to gigabytes: the same member, which holds 16 MiB of one line, again and again. */
function bomb(line: string): Uint8Array {
  const head = gzipSync(`${HEADER}\n${ROW}\n`);
  const member = gzipSync(line.repeat((16 * MIB) / line.length), { level: 9 });
  return Buffer.concat([
    head,
    ...Array.from({ length: Math.floor((8 * MIB - head.length) / member.length) }, () => member),
  ]);
}

describe('bytes that are no series', () => {
  test('are refused in words, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        expect(await read(bytes)).not.toBe('read');
      }),
    );
  });

  test('are refused in words behind the mark of a gzip file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        expect(await read(Buffer.concat([GZIP_MAGIC, bytes]))).not.toBe('read');
      }),
    );
  });

  test('behind a header are rows that are counted or a file that is refused, never a defect', async () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.double().map(String),
      fc.integer().map(String),
      fc.constantFrom('', 'NaN', 'Infinity', '1e309', '-0', '0x10', '1_000', ' 1 ', '"1', '9'.repeat(400)),
    );
    const lines = fc.array(
      fc.array(cell, { maxLength: 8 }).map((cells) => cells.join(',')),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (rows) => {
        await read(new TextEncoder().encode([HEADER, ...rows].join('\n')));
      }),
    );
  });

  test('are refused when a gzip file is cut off anywhere, or one of its bytes is another', async () => {
    const whole = gzipSync(
      [
        HEADER,
        ...Array.from(
          { length: 200 },
          (_, at) => `${1_700_000_000_000 + at * 60_000},1,2,1,${1 + (at % 9) / 10},${at}`,
        ),
      ].join('\n'),
    );
    const { contentDigest } = await readSeries(whole);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 400 }),
        async (end, size) => {
          expect(await read(pieces(whole.subarray(0, end), size))).not.toBe('read');
        },
      ),
    );
    // From the data on: the head of a file also holds its time and its system, which mean nothing.
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, other) => {
          const spoiled = Uint8Array.from(whole);
          spoiled[at] = (spoiled[at] ?? 0) ^ other;
          // Another way to write the same content is no fault.
          if ((await read(spoiled)) === 'read') expect((await readSeries(spoiled)).contentDigest).toBe(contentDigest);
        },
      ),
    );
  });
});

describe('eight MiB of gzip that unpack to gigabytes', () => {
  test.each([
    ['nothing but line ends', '\n', /unpacks to more than/],
    ['rows that cannot be read', 'x\n', /malformed rows/],
    ['the same sound row', `${ROW}\n`, /rows; split it/],
    ['one line without end', '0', /cannot be read/],
  ])('are refused in bounded memory and time: %s', { timeout: BOMB_MS_MAX }, async (_name, line, refusal) => {
    const bytes = bomb(line);
    const before = process.memoryUsage().rss;
    expect(await read(bytes)).toMatch(refusal);
    expect(process.memoryUsage().rss - before).toBeLessThan(BOMB_HEAP_BYTES_MAX);
  });
});
