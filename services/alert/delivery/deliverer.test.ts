import { expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { Notice } from '../domain/alert.ts';
import type { NoticeChannel } from './channel.ts';
import { deliverDue } from './deliverer.ts';

const DAY_MS = 86_400_000;

function notice(id: string, channel: Notice['channel'], createMs: number): Notice {
  return {
    id,
    channel,
    kind: 'FIRING',
    accountId: 'main',
    rule: 'EXECUTOR_OFFLINE',
    subject: 'vps-1',
    occurrence: 1,
    sentence: 'executor vps-1 is offline',
    next: '',
    fireMs: createMs,
    createMs,
    attempt: 0,
  };
}

/** Sends once what is due; tells what each channel was sent, what is settled, and by how much the rest is postponed. */
async function delivered(due: (nowMs: number) => readonly Notice[], channels: readonly NoticeChannel[]) {
  const clock = new ManualClock();
  const settled: string[] = [];
  const postponedMs = new Map<string, number>();
  await deliverDue({
    book: {
      due: () => Promise.resolve(due(clock.nowMs())),
      settled: (id) => Promise.resolve(void settled.push(id)),
      postponed: (id, dueMs) => Promise.resolve(void postponedMs.set(id, dueMs - clock.nowMs())),
    },
    channels,
    clock,
    logger: createLogger('alert', 'silent'),
  });
  return { settled, postponedMs };
}

function channelOf(name: NoticeChannel['name'], noticesMax: number, fails = false) {
  const sent: string[][] = [];
  const send = (notices: readonly Notice[]): Promise<void> => {
    sent.push(notices.map(({ id }) => id));
    return fails ? Promise.reject(new Error('not now')) : Promise.resolve();
  };
  return { sent, name, noticesMax, send };
}

test('a channel that fails keeps nothing from the other', async () => {
  const [webhook, email] = [channelOf('webhook', 1, true), channelOf('email', 50)];
  const outcome = await delivered(
    (nowMs) => [notice('w', 'webhook', nowMs), notice('e', 'email', nowMs)],
    [webhook, email],
  );
  expect(outcome.settled).toEqual(['e']);
  expect(outcome.postponedMs.get('w')).toBeGreaterThanOrEqual(1_000);
  expect(outcome.postponedMs.get('w')).toBeLessThanOrEqual(2_000);
});

test('many notices are one e-mail and as many requests', async () => {
  const [webhook, email] = [channelOf('webhook', 1), channelOf('email', 2)];
  const { settled } = await delivered(
    (nowMs) => ['a', 'b', 'c'].flatMap((id) => [notice(id, 'webhook', nowMs), notice(`${id}2`, 'email', nowMs)]),
    [webhook, email],
  );
  expect(webhook.sent).toEqual([['a'], ['b'], ['c']]);
  expect(email.sent).toEqual([['a2', 'b2'], ['c2']]);
  expect(settled).toHaveLength(6);
});

test('what was not taken for a day is given up, also on a channel that is not there any more', async () => {
  const webhook = channelOf('webhook', 1, true);
  const outcome = await delivered(
    (nowMs) => [notice('w', 'webhook', nowMs - DAY_MS), notice('e', 'email', nowMs - DAY_MS)],
    [webhook],
  );
  expect(outcome.settled.toSorted()).toEqual(['e', 'w']);
  expect(outcome.postponedMs.size).toBe(0);
});
