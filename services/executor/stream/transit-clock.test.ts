import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClockReading } from '../domain/start-deadline.ts';
import { TransitClock } from './transit-clock.ts';

/** All clocks of this side at one moment; they agree with nothing that the platform shows. */
function at(monotonicMs: number, asleepMs = 0): ClockReading {
  return { monotonicMs, uptimeMs: 1_000_000 + monotonicMs + asleepMs, wallMs: 5_000 };
}

const delay = fc.integer({ min: 0, max: 20_000 });

describe('transit clock', () => {
  test('never says less than what has passed, and never more than that and the fastest way there', () => {
    const exchange = fc.record({ atMs: fc.integer({ min: 0, max: 50_000 }), upMs: delay });
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        delay,
        (exchanges, aheadMs, downMs) => {
          const clock = new TransitClock();
          for (const { atMs, upMs } of exchanges) clock.exchanged(at(atMs), atMs + upMs + aheadMs);
          const sentMs = 100_000;
          const said = clock.sinceMs(sentMs + aheadMs, at(sentMs + downMs));
          expect(said).toBeGreaterThanOrEqual(downMs);
          expect(said).toBeLessThanOrEqual(downMs + Math.min(...exchanges.map(({ upMs }) => upMs)));
        },
      ),
    );
  });

  test('counts what the machine slept', () => {
    const clock = new TransitClock();
    clock.exchanged(at(0), 0);
    expect(clock.sinceMs(10, at(20, 60_000))).toBe(60_020 - 2_000 - 10);
  });

  test('says nothing before anything is known, and believes a clock that was set after a few exchanges', () => {
    const clock = new TransitClock();
    expect(clock.sinceMs(0, at(50_000))).toBe(0);
    clock.exchanged(at(0), 0);
    for (let n = 1; n <= 8; n++) clock.exchanged(at(n * 10), n * 10 - 3_600_000);
    expect(clock.sinceMs(100 - 3_600_000, at(105))).toBe(5);
  });
});
