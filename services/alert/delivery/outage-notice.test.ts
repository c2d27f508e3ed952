import { expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { Notice } from '../domain/alert.ts';
import { OutageNotice } from './outage-notice.ts';

const HOLD_MS = 15_000;
const REMIND_EVERY_MS = 3_600_000;
const REASON = 'connection refused';

function newOutage() {
  const clock = new ManualClock();
  const taken: Notice[] = [];
  const channel = {
    name: 'webhook' as const,
    noticesMax: 1,
    refuses: false,
    answers: true,
    send: async ([notice]: readonly Notice[]): Promise<void> => {
      if (channel.refuses) throw new Error('not now');
      if (notice !== undefined) taken.push(notice);
      if (!channel.answers) throw new Error('the answer was lost');
    },
  };
  const options = { channels: [channel], clock, logger: createLogger('test', 'silent'), holdMs: HOLD_MS };
  const outage = new OutageNotice({ ...options, remindEveryMs: REMIND_EVERY_MS });
  /** The looks of so many milliseconds, one every five seconds. */
  const fails = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed += 5_000) {
      await outage.failed(REASON);
      clock.advance(5_000);
    }
  };
  return { outage, clock, channel, taken, fails, kinds: () => taken.map(({ kind }) => kind) };
}

test('is told once when it lasts, again after hours, and once when it is over', async () => {
  const { outage, clock, taken, fails, kinds } = newOutage();
  const sinceMs = clock.nowMs();
  await fails(HOLD_MS - 5_000);
  expect(kinds()).toEqual([]);
  await fails(60_000);
  expect(taken).toMatchObject([{ kind: 'FIRING', accountId: '', rule: 'WATCH_FAILING', fireMs: sinceMs }]);
  expect(taken[0]?.sentence).toBe(
    `this replica of alert cannot watch the platform since ${new Date(sinceMs).toISOString()}: connection refused`,
  );
  clock.advance(REMIND_EVERY_MS);
  await fails(0);
  await outage.succeeded();
  await outage.succeeded();
  expect(kinds()).toEqual(['FIRING', 'REMINDER', 'RECOVERED']);
  expect(new Set(taken.map(({ id }) => id)).size).toBe(3);
});

test('is not told when it is over soon, and the next one has to last as long', async () => {
  const { outage, fails, kinds } = newOutage();
  await fails(HOLD_MS - 5_000);
  await outage.succeeded();
  await fails(HOLD_MS - 5_000);
  expect(kinds()).toEqual([]);
});

test('what a channel does not take is told after the next look under the same id, its end too', async () => {
  const { outage, channel, taken, fails, kinds } = newOutage();
  channel.refuses = true;
  await fails(2 * HOLD_MS);
  channel.refuses = false;
  await fails(0);
  channel.refuses = true;
  await outage.succeeded();
  expect(kinds()).toEqual(['FIRING']);
  channel.refuses = false;
  await outage.succeeded();
  expect(kinds()).toEqual(['FIRING', 'RECOVERED']);
  expect(new Set(taken.map(({ id }) => id)).size).toBe(2);
});

test('the end is told under an id of its own, also when nobody knows whether the beginning arrived', async () => {
  const { outage, channel, fails, kinds } = newOutage();
  await fails(HOLD_MS - 5_000);
  channel.answers = false;
  await fails(0);
  channel.answers = true;
  await outage.succeeded();
  expect(kinds()).toEqual(['FIRING', 'RECOVERED']);
});
