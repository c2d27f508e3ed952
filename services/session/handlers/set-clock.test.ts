import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { WatchSessionRequestSchema } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { sessionRecord } from '../domain/test-session.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { waitFor } from './waiting.ts';
import { watchSession } from './watch-session.ts';

const HOURS_MS = 7_200_000;
const bell = { on: () => () => undefined, ring: () => undefined };
const dependencies = (parts: object): SessionHandlerDependencies => Object.assign(Object.create(null), parts);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Milliseconds that pass until `done`; undefined when they do not suffice. */
async function lasts(clock: ManualClock, done: Promise<unknown>, ms: number): Promise<number | undefined> {
  let over = false;
  void done.finally(() => {
    over = true;
  });
  for (let passed = 0; passed <= ms; passed += 250) {
    for (let i = 0; i < 10; i++) await turn();
    if (over) return passed;
    clock.advance(250);
  }
  return undefined;
}

test.each([-HOURS_MS, HOURS_MS])('a call waits as long as it says, the clock set by %d ms', async (ms) => {
  const clock = new ManualClock();
  const call = { signal: new AbortController().signal, limitMs: 2_000 };
  const seen = waitFor({ bell, clock }, 's', call, async () => ({ seen: 'nothing', done: false }));
  await turn();
  clock.step(ms);
  expect(await lasts(clock, seen, 10_000)).toBe(2_000);
});

test('a watcher of a session is told within 5 s how far it has come, the clock set back', async () => {
  const clock = new ManualClock();
  const { context, end } = handlerCall();
  const session = sessionRecord();
  const reader = {
    get: async () => ({ session, activations: [] }),
    changes: async () => ({ entries: [], throughNumber: 0, removedNumber: 0, more: false }),
  };
  const request = create(WatchSessionRequestSchema, { id: session.id });
  const stream = watchSession(dependencies({ reader, bell, clock }))(request, context);
  await stream.next();
  const checkpoint = stream.next();
  await turn();
  clock.step(-HOURS_MS);
  expect(await lasts(clock, checkpoint, 20_000)).toBeLessThanOrEqual(5_000);
  end();
  await stream.return(undefined);
});
