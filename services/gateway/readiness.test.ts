import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';
import { Readiness } from './readiness.ts';

const logger = createLogger('test', 'silent');

describe('Readiness', () => {
  test('is ready when everything answers, says so at changes, and never while draining', async () => {
    const clock = new ManualClock();
    let away = true;
    const check = (): Promise<void> => (away ? Promise.reject(new Error('away')) : Promise.resolve());
    await using readiness = new Readiness({ dependencies: [{ name: 'postgres', check }], logger, clock });
    let changes = 0;
    readiness.onChange(() => changes++);
    expect([readiness.ready, readiness.states.get('postgres')]).toEqual([false, 'unknown']);
    clock.advance(0);
    await vi.waitFor(() => expect(readiness.states.get('postgres')).toBe('down'));
    away = false;
    await vi.waitFor(() => {
      clock.advance(500);
      expect(readiness.ready).toBe(true);
    });
    expect(changes).toBe(2);
    readiness.drain();
    expect([readiness.ready, readiness.isUp('postgres'), changes]).toEqual([false, false, 3]);
  });

  test('a check that hangs counts as no after a second, and is not asked again beside', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const hanging = Promise.withResolvers<void>();
    const check = (): Promise<void> => {
      asked++;
      return hanging.promise;
    };
    await using readiness = new Readiness({ dependencies: [{ name: 'command', check }], logger, clock });
    clock.advance(0);
    clock.advance(1_000);
    await vi.waitFor(() => expect(readiness.states.get('command')).toBe('down'));
    for (let round = 0; round < 5; round++) {
      clock.advance(1_600);
      await Promise.resolve();
    }
    expect(asked).toBe(1);
    hanging.resolve();
    await vi.waitFor(() => {
      clock.advance(500);
      expect(readiness.ready).toBe(true);
    });
  });
});
