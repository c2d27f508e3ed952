import { putText, UTF8_BYTES_PER_UNIT_MAX } from '../../platform/put-text.ts';

/** Element types of array parameters, with what Postgres calls them in its binary form. */
const ELEMENT_OIDS = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
  timestamptz: 1184,
  uuid: 2950,
} as const;

export type ElementType = keyof typeof ELEMENT_OIDS;

/** What an element of an array parameter may be; a timestamptz is given in milliseconds since the Unix epoch. */
export type ArrayElement = string | number | boolean | Uint8Array | null;

const HEADER_BYTES = 20;
/** An empty array has no dimension. */
const EMPTY_HEADER_BYTES = 12;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const UUID_BYTES = 16;
const TWO_32 = 2 ** 32;
/** Postgres counts microseconds from 2000. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const SCRATCH_BYTES_MIN = 65_536;
/** What a batch of large results made it grow to is not kept. */
const SCRATCH_BYTES_KEPT_MAX = 4_194_304;

/** Where arrays are put together; every call leaves with a copy of its own. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES_MIN);
let at = 0;

/**
 * One array parameter in Postgres' binary form, NULL when every element is null. The text form made Postgres parse each
 * number and unescape each text. With it, and with values picked by position, a lifecycle's two statements went from 91 to
 * 41 us of Postgres' processor time a row, and from 40 to 22 us of ours.
 * Values: null, strings (for uuid in lower or upper case), numbers, booleans, bytes; Infinity is the time "infinity".
 * @throws RangeError or TypeError for a value that the type cannot hold.
 */
export function arrayParameter<T>(type: ElementType, rows: readonly T[], of: (row: T) => ArrayElement): Buffer | null {
  at = HEADER_BYTES;
  let nulls = 0;
  for (const row of rows) {
    const value = of(row);
    if (value === null) {
      reserve(LENGTH_BYTES);
      at = scratch.writeInt32BE(NULL_LENGTH, at);
      nulls += 1;
    } else write(type, value);
  }
  if (nulls === rows.length && nulls > 0) return null;
  const end = rows.length === 0 ? EMPTY_HEADER_BYTES : at;
  scratch.writeInt32BE(rows.length === 0 ? 0 : 1, 0);
  scratch.writeInt32BE(nulls === 0 ? 0 : 1, 4);
  scratch.writeInt32BE(ELEMENT_OIDS[type], 8);
  scratch.writeInt32BE(rows.length, 12);
  scratch.writeInt32BE(1, 16);
  const literal = Buffer.from(scratch.subarray(0, end));
  if (scratch.length > SCRATCH_BYTES_KEPT_MAX) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES_MIN);
  return literal;
}

function reserve(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, at + bytes));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

function write(type: ElementType, value: string | number | boolean | Uint8Array): void {
  switch (type) {
    case 'uuid':
      writeUuid(String(value));
      return;
    case 'timestamptz':
      writeTime(Number(value));
      return;
    case 'bigint':
      writeBigint(Number(value));
      return;
    case 'integer':
      reserve(LENGTH_BYTES + 4);
      at = scratch.writeInt32BE(4, at);
      at = scratch.writeInt32BE(whole(value), at);
      return;
    case 'smallint':
      reserve(LENGTH_BYTES + 2);
      at = scratch.writeInt32BE(2, at);
      at = scratch.writeInt16BE(whole(value), at);
      return;
    case 'boolean':
      reserve(LENGTH_BYTES + 1);
      at = scratch.writeInt32BE(1, at);
      scratch[at++] = value === true ? 1 : 0;
      return;
    case 'bytea':
      if (!(value instanceof Uint8Array)) throw new TypeError('bytes are wanted');
      reserve(LENGTH_BYTES + value.length);
      at = scratch.writeInt32BE(value.length, at);
      scratch.set(value, at);
      at += value.length;
      return;
    case 'text':
      writeText(String(value));
  }
}

function whole(value: unknown): number {
  if (!Number.isInteger(value)) throw new RangeError(`${String(value)} is not a whole number`);
  return Number(value);
}

function writeText(text: string): void {
  reserve(LENGTH_BYTES + text.length * UTF8_BYTES_PER_UNIT_MAX);
  const bytes = putText(scratch, text, at + LENGTH_BYTES);
  at = scratch.writeInt32BE(bytes, at) + bytes;
}

const DASH = 45;

function writeUuid(text: string): void {
  reserve(LENGTH_BYTES + UUID_BYTES);
  at = scratch.writeInt32BE(UUID_BYTES, at);
  let digits = 0;
  let high = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DASH) continue;
    const digit = hexDigit(code);
    if (digit < 0 || digits === 2 * UUID_BYTES) throw new RangeError(`"${text}" is not a UUID`);
    if (digits % 2 === 0) high = digit << 4;
    else scratch[at++] = high | digit;
    digits += 1;
  }
  if (digits !== 2 * UUID_BYTES) throw new RangeError(`"${text}" is not a UUID`);
}

/** -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function writeTime(ms: number): void {
  if (ms === Infinity) writeHalves(0x7fffffff, 0xffffffff);
  else if (ms === -Infinity) writeHalves(-0x80000000, 0);
  else if (Number.isNaN(ms)) throw new RangeError('a time is wanted');
  else writeWhole(Math.round((ms - POSTGRES_EPOCH_MS) * 1_000));
}

function writeBigint(value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number below 2^53`);
  writeWhole(value);
}

/** Times from the year 2285 on are beyond 2^53 microseconds, and whole milliseconds no less. */
function writeWhole(value: number): void {
  const high = Math.floor(value / TWO_32);
  writeHalves(high, value - high * TWO_32);
}

function writeHalves(high: number, low: number): void {
  reserve(LENGTH_BYTES + 8);
  at = scratch.writeInt32BE(8, at);
  at = scratch.writeInt32BE(high, at);
  at = scratch.writeUInt32BE(low, at);
}
