import { type Duration, durationFromMs, durationMs, type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';

const NANOS_MAX = 999_999_999;
/** The last one of the year 9999. */
const TIME_MS_MAX = 253_402_300_799_999;

/** Milliseconds may have a part. */
export function timestampOf(ms: number): Timestamp {
  return timestampFromMs(Math.round(ms));
}

/** Milliseconds may have a part. */
export function durationOf(ms: number): Duration {
  return durationFromMs(Math.round(ms));
}

/** Milliseconds, rounded down; NaN for what is no time from 1970 to 9999. */
export function millisecondsOfTimestamp({ seconds, nanos }: Timestamp): number {
  if (nanos < 0 || nanos > NANOS_MAX) return Number.NaN;
  const ms = Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
  return ms >= 0 && ms <= TIME_MS_MAX ? ms : Number.NaN;
}

/** Milliseconds, rounded; NaN for what breaks the rules of google.protobuf.Duration. */
export function millisecondsOfDuration(duration: Duration): number {
  const { seconds, nanos } = duration;
  const sameSign = seconds === 0n || nanos === 0 || seconds > 0n === nanos > 0;
  return sameSign && Math.abs(nanos) <= NANOS_MAX ? Math.round(durationMs(duration)) : Number.NaN;
}
