import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import { Follower, type FollowerOptions } from './follower.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const optionsOf = (parts: object): FollowerOptions => Object.assign(Object.create(null), parts);

afterEach(() => void vi.restoreAllMocks());

test('a command service that is away for long leaves nothing behind of its absence', async () => {
  const listening = vi.spyOn(EventTarget.prototype, 'addEventListener');
  const clock = new ManualClock();
  let calls = 0;
  const away = () => {
    calls++;
    throw new Error('away');
  };
  await using _ = new Follower(
    optionsOf({
      clock,
      logger: createLogger('test', 'silent'),
      followed: { accountId: 'main', epoch: 1, commandCursor: '', venueCursor: '' },
      upstream: { as: () => ({}), commands: { watchCommands: away }, executors: { watchVenueEvents: away } },
    }),
  );
  for (let i = 0; i < 50; i++) {
    await turn();
    clock.advance(5_000);
  }
  await turn();
  expect(calls).toBeGreaterThan(50);
  const signals = new Set(listening.mock.contexts.filter((context) => context instanceof AbortSignal));
  // One for the pause of each of the two streams.
  expect([...signals].flatMap((signal) => getEventListeners(signal, 'abort')).length).toBeLessThanOrEqual(2);
});
