import { describe, expect, test } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { durationOf, millisecondsOfDuration, millisecondsOfTimestamp, timestampOf } from './time.ts';

describe('times', () => {
  test.each([0, 1, -1, 1_714_986_842_123, -62_135_596_800_000, 253_402_300_799_999])('of %d ms come back', (ms) => {
    const timestamp = timestampOf(ms);
    expect(timestamp === undefined ? undefined : millisecondsOfTimestamp(timestamp)).toBe(ms);
  });

  test.each([null, Infinity, -Infinity, Number.NaN, 253_402_300_800_000, -62_135_596_800_001])(
    '%s is no time',
    (ms) => {
      expect(timestampOf(ms)).toBeUndefined();
    },
  );

  test.each([
    [{ seconds: 1n, nanos: 999_999 }, 1_000],
    [{ seconds: 0n, nanos: -1 }, Number.NaN],
    [{ seconds: 0n, nanos: 1_000_000_000 }, Number.NaN],
    [{ seconds: 10n ** 15n, nanos: 0 }, Number.NaN],
  ])('%o is %d ms', (init, ms) => {
    expect(millisecondsOfTimestamp(create(TimestampSchema, init))).toBe(ms);
  });
});

describe('spans', () => {
  test.each([0, 1, -1, 500, -1_500, 604_800_000])('of %d ms come back', (ms) => {
    const duration = durationOf(ms);
    expect(duration === undefined ? undefined : millisecondsOfDuration(duration)).toBe(ms);
  });

  test.each([null, Infinity, Number.NaN, 1e18])('%s is no span', (ms) => {
    expect(durationOf(ms)).toBeUndefined();
  });

  test.each([
    // What was set is not nothing.
    [{ seconds: 0n, nanos: 1 }, 1],
    [{ seconds: 0n, nanos: -1 }, -1],
    [{ seconds: 1n, nanos: -1 }, Number.NaN],
    [{ seconds: 0n, nanos: 1_000_000_000 }, Number.NaN],
    [{ seconds: 2n ** 62n, nanos: 0 }, Number.NaN],
  ])('%o is %d ms', (init, ms) => {
    expect(millisecondsOfDuration(create(DurationSchema, init))).toBe(ms);
  });
});
