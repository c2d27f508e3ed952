import { type Duration, type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';

const SECOND_MS = 1_000;
const NANOS_PER_MS = 1_000_000;
/** Bounds of google.protobuf.Timestamp: years 1 to 9999. */
const TIMESTAMP_MS_MIN = -62_135_596_800_000;
const TIMESTAMP_MS_MAX = 253_402_300_799_999;

/** Undefined for null, and for a time that proto JSON could not express: one odd row must not spoil a whole list. */
export function timestampOf(ms: number | null): Timestamp | undefined {
  if (ms === null || !(ms >= TIMESTAMP_MS_MIN && ms <= TIMESTAMP_MS_MAX)) return undefined;
  return timestampFromMs(Math.round(ms));
}

/** Milliseconds, rounded down; null when it is absent or breaks the rules of google.protobuf.Timestamp. */
export function millisecondsOf(timestamp: Timestamp | undefined): number | null {
  if (timestamp === undefined) return null;
  const ms = Number(timestamp.seconds) * SECOND_MS + Math.floor(timestamp.nanos / NANOS_PER_MS);
  const wellFormed = timestamp.nanos >= 0 && timestamp.nanos < SECOND_MS * NANOS_PER_MS;
  return wellFormed && ms >= TIMESTAMP_MS_MIN && ms <= TIMESTAMP_MS_MAX ? ms : null;
}

/** Milliseconds, rounded up; NaN when the message breaks the rules of google.protobuf.Duration. */
export function millisecondsOfDuration({ seconds, nanos }: Duration): number {
  const sameSign = seconds === 0n || nanos === 0 || Math.sign(Number(seconds)) === Math.sign(nanos);
  if (!sameSign || Math.abs(nanos) >= SECOND_MS * NANOS_PER_MS) return Number.NaN;
  return Number(seconds) * SECOND_MS + Math.ceil(nanos / NANOS_PER_MS);
}
