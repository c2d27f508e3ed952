import { expect, test } from 'vitest';
import { ManualClock } from './clock.ts';
import { SharedTurn } from './shared-turn.ts';

test('who joins within the span gets one turn, together, and who joins later the next', () => {
  const clock = new ManualClock();
  const turn = new SharedTurn(clock, 100);
  const called: string[] = [];
  const first = { takeTurn: () => void called.push('first') };
  const second = { takeTurn: () => void called.push('second') };
  turn.join(first);
  clock.advance(60);
  turn.join(second);
  turn.join(first);
  clock.advance(39);
  expect(called).toEqual([]);
  clock.advance(1);
  expect(called).toEqual(['first', 'second']);
  turn.join(second);
  clock.advance(100);
  expect(called).toEqual(['first', 'second', 'second']);
  clock.advance(1_000);
  expect(called).toHaveLength(3);
});

test('thousands let others have their turn in between, and none is left out', async () => {
  const clock = new ManualClock();
  const turn = new SharedTurn(clock, 100);
  let called = 0;
  for (let i = 0; i < 1_000; i++) {
    turn.join({
      takeTurn() {
        called += 1;
      },
    });
  }
  clock.advance(100);
  const soFar = called;
  expect(soFar).toBeGreaterThan(0);
  expect(soFar).toBeLessThan(100);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(called).toBe(1_000);
});
