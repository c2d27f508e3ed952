import { type Duration, durationFromMs, type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';

const SECOND_MS = 1_000;
const NANOS_PER_MS = 1_000_000;
/** Bounds of google.protobuf.Timestamp (years 1 to 9999) and Duration (about 10 000 years). */
const TIMESTAMP_MS_MIN = -62_135_596_800_000;
const TIMESTAMP_MS_MAX = 253_402_300_799_999;
const DURATION_MS_MAX = 315_576_000_000_000;

/** Undefined for null, and for a time that proto JSON could not express: one odd row must not spoil a whole list. */
export function timestampOf(ms: number | null): Timestamp | undefined {
  if (ms === null || !(ms >= TIMESTAMP_MS_MIN && ms <= TIMESTAMP_MS_MAX)) return undefined;
  return timestampFromMs(Math.round(ms));
}

/** As `timestampOf`, for spans. */
export function durationOf(ms: number | null): Duration | undefined {
  if (ms === null || !(Math.abs(ms) <= DURATION_MS_MAX)) return undefined;
  return durationFromMs(Math.round(ms));
}

/** Milliseconds, rounded down; NaN when the message breaks the rules of google.protobuf.Timestamp. */
export function millisecondsOfTimestamp(timestamp: Timestamp): number {
  const ms = Number(timestamp.seconds) * SECOND_MS + Math.floor(timestamp.nanos / NANOS_PER_MS);
  const wellFormed = timestamp.nanos >= 0 && timestamp.nanos < 1_000 * NANOS_PER_MS;
  return wellFormed && ms >= TIMESTAMP_MS_MIN && ms <= TIMESTAMP_MS_MAX ? ms : Number.NaN;
}

/** Milliseconds, rounded away from zero so that a span that was set stays set; NaN when the message breaks the rules. */
export function millisecondsOfDuration(duration: Duration): number {
  const { nanos } = duration;
  const seconds = Number(duration.seconds);
  const sameSign = seconds === 0 || nanos === 0 || Math.sign(seconds) === Math.sign(nanos);
  if (!sameSign || Math.abs(nanos) >= 1_000 * NANOS_PER_MS) return Number.NaN;
  const partMs = nanos < 0 ? Math.floor(nanos / NANOS_PER_MS) : Math.ceil(nanos / NANOS_PER_MS);
  const ms = seconds * SECOND_MS + partMs;
  return Math.abs(ms) <= DURATION_MS_MAX ? ms : Number.NaN;
}
