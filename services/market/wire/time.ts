import { type Duration, durationFromMs, durationMs, type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';

/** Milliseconds may have a part. */
export function timestampOf(ms: number): Timestamp {
  return timestampFromMs(Math.round(ms));
}

/** Milliseconds may have a part. */
export function durationOf(ms: number): Duration {
  return durationFromMs(Math.round(ms));
}

/** Milliseconds, rounded down. */
export function millisecondsOfTimestamp({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}

/** Milliseconds, rounded. */
export function millisecondsOfDuration(duration: Duration): number {
  return Math.round(durationMs(duration));
}
