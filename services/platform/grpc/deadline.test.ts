import { describe, expect, test } from 'vitest';
import { CALL_MS_MAX, clampTimeoutMs, formatGrpcTimeout, parseGrpcTimeout } from './deadline.ts';

describe('timeouts', () => {
  test.each([
    ['250m', 250],
    ['3S', 3_000],
    ['2M', 120_000],
    ['1H', 3_600_000],
    ['1500u', 1.5],
    ['1000000n', 1],
    ['99999999H', 359_999_996_400_000],
    ['', undefined],
    ['5', undefined],
    ['-5S', undefined],
    ['123456789m', undefined],
    ['1 S', undefined],
    ['1Sx', undefined],
  ])('grpc-timeout "%s" is %s ms', (header, ms) => {
    const parsed = parseGrpcTimeout(header);
    if (ms === undefined) expect(parsed).toBeUndefined();
    else expect(parsed).toBeCloseTo(ms);
  });

  test.each([0.2, 1, 250, 99_999_999, 100_000_000, CALL_MS_MAX])('%s ms fits the header and is not cut short', (ms) => {
    const header = formatGrpcTimeout(ms);
    expect(header).toMatch(/^\d{1,8}[mS]$/);
    expect(parseGrpcTimeout(header)).toBeGreaterThanOrEqual(ms);
  });

  test('are brought into what timers can hold', () => {
    expect([clampTimeoutMs(undefined), clampTimeoutMs(Number.NaN), clampTimeoutMs(-1), clampTimeoutMs(5)]).toEqual([
      undefined,
      undefined,
      0,
      5,
    ]);
    expect(clampTimeoutMs(Number.POSITIVE_INFINITY)).toBe(CALL_MS_MAX);
    expect(CALL_MS_MAX).toBeLessThan(2 ** 31);
  });
});
