import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter } from './token-bucket.ts';

describe('RateLimiter', () => {
  test('lets a burst through, then one for each interval, and says how long to wait', () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 3 });
    expect([0, 0, 0].map((nowMs) => limiter.take('a', nowMs))).toEqual([0, 0, 0]);
    expect(limiter.take('a', 0)).toBe(100);
    expect(limiter.take('a', 99)).toBe(1);
    expect(limiter.take('a', 100)).toBe(0);
    expect(limiter.take('a', 100)).toBe(100);
    expect(limiter.take('b', 100)).toBe(0);
  });

  test('looking takes nothing', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
    expect(limiter.peek('a', 0)).toBe(0);
    expect(limiter.take('a', 0)).toBe(0);
    expect(limiter.peek('a', 0)).toBe(1_000);
  });

  test('a clock that is set back takes nothing away', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 2 });
    limiter.take('a', 10_000);
    expect(limiter.take('a', 0)).toBe(0);
  });

  test('remembers no more keys than it may, the latest ones', () => {
    const limiter = new RateLimiter({ perSecond: 0.001, burst: 1 }, 2);
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key, 0);
    expect(limiter.size).toBe(2);
    expect(limiter.peek('c', 0)).toBeGreaterThan(0);
    expect(limiter.peek('a', 0)).toBeGreaterThan(0);
  });

  test('never lets more through than burst and rate allow, whatever the timing', () => {
    const limit = fc.record({ perSecond: fc.integer({ min: 1, max: 500 }), burst: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(limit, fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 300 }), (given, gapsMs) => {
        const limiter = new RateLimiter(given);
        let nowMs = 0;
        let taken = 0;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          if (limiter.take('a', nowMs) === 0) taken++;
          expect(taken).toBeLessThanOrEqual(given.burst + (nowMs * given.perSecond) / 1_000 + 1e-6);
        }
      }),
    );
  });

  test('the wait it names is enough, and no shorter one is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 5_000 }), (perSecond, nowMs) => {
        const limiter = new RateLimiter({ perSecond, burst: 1 });
        limiter.take('a', nowMs);
        const waitMs = limiter.peek('a', nowMs);
        expect(waitMs).toBeGreaterThan(0);
        expect(limiter.peek('a', nowMs + waitMs)).toBe(0);
      }),
    );
  });
});
