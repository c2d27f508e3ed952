import { describe, expect, test } from 'vitest';
import { formatMs, parseDurationMs } from './duration.ts';
import { CliError } from './errors.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['0s', 0],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1m30s', 90_000],
    ['1.5s', 1_500],
    ['0.0015s', 2],
  ])('%s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(['', '5', 's', '-5s', '5 s', '5sec', '1y', '5s!', 'five'])('%j is refused', (text) => {
    expect(() => parseDurationMs(text)).toThrow(CliError);
  });

  test.each([
    [0, '0ms'],
    [412.4, '412ms'],
    [999.4, '999ms'],
    [999.6, '1.0s'],
    [1_000, '1.0s'],
    [3_210, '3.2s'],
    [10_000, '10s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [238_000, '3m58s'],
    [240_000, '4m'],
    [3_600_000, '1h'],
    [7_500_000, '2h5m'],
    [86_400_000, '1d'],
    [356_400_000, '4d3h'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});
