import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';

/** A time in milliseconds since the epoch, rounded down to them. */
export function timestampOf(ms: number): Timestamp {
  return timestampFromMs(Math.floor(ms));
}
