import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { formatMs } from './duration.ts';

/** "14:02:11.250" today, with the date on other days; the reader's time zone. */
export function formatTime(time: Timestamp | undefined, nowMs: number = Date.now()): string | undefined {
  if (time === undefined) return undefined;
  const date = new Date(timestampMs(time));
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
  if (date.toDateString() === new Date(nowMs).toDateString()) return clock;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock}`;
}

/** How long ago, for tables. */
export function formatAge(time: Timestamp | undefined, nowMs: number = Date.now()): string {
  return time === undefined ? '' : formatMs(Math.max(0, nowMs - timestampMs(time)));
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}
