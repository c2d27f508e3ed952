import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { useSyncExternalStore } from 'react';

/** Milliseconds since 1970; undefined stays undefined. */
export function msOf(time: Timestamp): number;
export function msOf(time: Timestamp | undefined): number | undefined;
export function msOf(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : Number(time.seconds) * 1_000 + time.nanos / 1e6;
}

export function spanMsOf(span: Duration | undefined): number | undefined {
  return span === undefined ? undefined : Number(span.seconds) * 1_000 + span.nanos / 1e6;
}

/** A span for people, in the two largest units: 12 ms, 4.2 s, 3m 58s, 2h 5m, 3d 4h. */
export function spanText(ms: number): string {
  if (ms < 0) return `−${spanText(-ms)}`;
  if (ms < 999.5) return `${ms < 10 ? ms.toFixed(1).replace(/\.0$/, '') : Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(Math.max(60_000, ms) / 1_000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${days}d ${hours % 24}h`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: '2-digit' });

/** Time of day in the reader's zone; with `precise` to the millisecond. */
export function clockText(ms: number, how: { readonly precise?: boolean } = {}): string {
  const text = CLOCK.format(ms);
  return how.precise === true ? `${text}.${String(Math.floor(ms % 1_000)).padStart(3, '0')}` : text;
}

/** Date and time of day; today's date is left out. */
export function whenText(ms: number, nowMs: number = Date.now()): string {
  const day = DAY.format(ms);
  return day === DAY.format(nowMs) ? clockText(ms) : `${day} ${clockText(ms)}`;
}

/** Time of day to the minute, in the reader's zone. */
export function minuteText(ms: number): string {
  return MINUTE.format(ms);
}

/** The day without its year, in the reader's zone. */
export function shortDayText(ms: number): string {
  return SHORT_DAY.format(ms);
}

/** As `whenText`, for the narrow column of a list: to the minute on another day, the day alone in another year. */
export function lineTimeText(ms: number, nowMs: number): string {
  if (DAY.format(ms) === DAY.format(nowMs)) return clockText(ms);
  const sameYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  return sameYear ? `${shortDayText(ms)} ${minuteText(ms)}` : DAY.format(ms);
}

let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function onSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    nowMs = Date.now();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The clock stands still while nobody looks at it. */
function presentMs(): number {
  if (timer === undefined) nowMs = Date.now();
  return nowMs;
}

/** The present time, new every second: one clock for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(onSecond, presentMs);
}

function midnightMs(): number {
  return new Date(presentMs()).setHours(0, 0, 0, 0);
}

/** The beginning of the present day, in the reader's zone; new at midnight, for what leaves today's date out. */
export function useToday(): number {
  return useSyncExternalStore(onSecond, midnightMs);
}
