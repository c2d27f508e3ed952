import { expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { waitFor } from './waiting.ts';

const HOURS_MS = 7_200_000;
const LIMIT_MS = 1_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each([0, -HOURS_MS, HOURS_MS])('a wait is over after its limit, the clock set by %d ms', async (ms) => {
  const clock = new ManualClock();
  const bell = { on: () => () => undefined };
  const call = { signal: new AbortController().signal, limitMs: LIMIT_MS };
  let looks = 0;
  const over: number[] = [];
  const waiting = waitFor({ bell, clock }, 'any', call, async () => ({ seen: ++looks, done: looks > 100 })).then(
    (seen) => over.push(seen),
  );
  await turn();
  clock.step(ms);
  clock.advance(LIMIT_MS - 1);
  await turn();
  expect(over).toEqual([]);
  for (let i = 0; i < 8 && over.length === 0; i++) {
    clock.advance(250);
    await turn();
  }
  expect(over).toHaveLength(1);
  await waiting;
});
