import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { WatchSessionRequestSchema } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { watchSession } from './watch-session.ts';

const ID = '019a0000-0000-7000-8000-000000000001';
const HOURS_MS = 7_200_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const dependencies = (parts: object): SessionHandlerDependencies => Object.assign(Object.create(null), parts);

/** A session in which nothing happens. */
function quiet(clock: ManualClock): SessionHandlerDependencies {
  return dependencies({
    clock,
    bell: { on: () => () => undefined },
    reader: {
      get: async () => ({ session: { id: ID, version: 0 }, activations: [] }),
      changes: async () => ({ entries: [], throughNumber: 0, removedNumber: 0, more: false }),
    },
  });
}

test.each([0, -HOURS_MS, HOURS_MS])(
  'a watcher of a quiet session hears something after 4 s, the clock set by %d ms',
  async (ms) => {
    const clock = new ManualClock();
    const { context, end } = handlerCall();
    const stream = watchSession(quiet(clock))(create(WatchSessionRequestSchema, { id: ID }), context);
    await stream.next();
    const heard: boolean[] = [];
    const next = stream.next().then(({ done }) => heard.push(done !== true));
    await turn();
    clock.step(ms);
    let seconds = 0;
    for (; seconds < 6 && heard.length === 0; seconds += 1) {
      clock.advance(1_000);
      await turn();
    }
    end();
    await next;
    expect({ heard, seconds }).toEqual({ heard: [true], seconds: 4 });
  },
);
