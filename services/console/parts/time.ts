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
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1).replace(/\.0$/, '') : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
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

let nowMs = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** The present time, new every second: one clock for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
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
    },
    () => nowMs,
  );
}
