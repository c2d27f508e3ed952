import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import parse from 'parse-duration';
import { usageError } from './errors.ts';

/** One or more numbers with a unit each, nothing else. */
const FORM = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;

/** Milliseconds of "500ms", "30s", "5m", "24h", "1m30s". @throws CliError usage. */
export function parseDurationMs(text: string): number {
  const ms = FORM.test(text) ? parse(text) : null;
  if (ms === null) throw usageError(`"${text}" is not a duration; write 500ms, 30s, 5m, 24h or 1m30s`);
  return Math.round(ms);
}

export function parseDuration(text: string): Duration {
  return durationFromMs(parseDurationMs(text));
}

/** "412ms", "3.2s", "3m58s", "2h5m", "4d3h": short enough for a table. */
export function formatMs(ms: number): string {
  if (Math.round(ms) < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${pair(seconds % 60, 's')}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${pair(minutes % 60, 'm')}`;
  return `${Math.floor(hours / 24)}d${pair(hours % 24, 'h')}`;
}

export function formatDuration(duration: Duration | undefined): string | undefined {
  return duration === undefined ? undefined : formatMs(durationMs(duration));
}

function pair(value: number, unit: string): string {
  return value === 0 ? '' : `${value}${unit}`;
}
