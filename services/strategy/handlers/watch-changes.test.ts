import { describe, expect, test } from 'vitest';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import type { WatchChangesResponse } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { create } from '@bufbuild/protobuf';
import { WatchChangesRequestSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { ChangePage, Revision } from '../domain/strategy-book.ts';
import { watchChanges } from './watch-changes.ts';

function revision(number: number): Revision {
  return {
    accountId: 'main',
    number,
    type: 'CREATED',
    strategyId: `s-${number}`,
    definition: undefined,
    json: '{}',
    author: 'a',
    digest: `d-${number}`,
    createMs: 0,
    timeMs: 0,
  };
}

/** A log that grows by hand, the bell that it rings, and a watcher of it. */
function world(sinceRevision = 0) {
  const clock = new ManualClock();
  const log: Revision[] = [];
  const rings = new Set<() => void>();
  let looks = 0;
  const { context, end } = handlerCall();
  const stream = watchChanges({
    clock,
    bell: {
      onChange: (_accountId, callback) => {
        rings.add(callback);
        return () => rings.delete(callback);
      },
    },
    book: {
      changesAfter: (_accountId, after, max): Promise<ChangePage> => {
        looks += 1;
        const changes = log.filter(({ number }) => number > after).slice(0, max);
        return Promise.resolve({ revision: log.length, digest: `d-${log.length}`, changes });
      },
    },
  })(create(WatchChangesRequestSchema, { sinceRevision: BigInt(sinceRevision) }), context);
  return {
    clock,
    rings,
    end,
    looks: () => looks,
    commit(count: number, ring = true): void {
      for (let i = 0; i < count; i++) log.push(revision(log.length + 1));
      if (ring) for (const callback of rings) callback();
    },
    next: async (): Promise<string> => textOf((await stream.next()).value),
    over: async (): Promise<boolean> => (await stream.next()).done === true,
  };
}

function textOf(response: WatchChangesResponse | undefined): string {
  if (response === undefined) return 'the end';
  const { change, revision: newest, digest } = response;
  return change === undefined ? `at ${newest} ${digest}` : `change ${change.revision} of ${newest}`;
}

/** Takes the next response once the watcher waits for it. */
async function afterWaiting(pending: Promise<string>, act: () => void): Promise<string> {
  await new Promise((resolve) => setImmediate(resolve));
  act();
  return pending;
}

describe('a watcher of changes', () => {
  test('gets what it has missed, then where the account stands, then what comes', async () => {
    const watch = world(1);
    watch.commit(3);
    expect(await watch.next()).toBe('change 2 of 3');
    expect(await watch.next()).toBe('change 3 of 3');
    expect(await watch.next()).toBe('at 3 d-3');
    expect(await afterWaiting(watch.next(), () => watch.commit(1))).toBe('change 4 of 4');
  });

  test('misses nothing that is committed while it is sent something else', async () => {
    const watch = world();
    watch.commit(1);
    expect(await watch.next()).toBe('change 1 of 1');
    watch.commit(1);
    expect(await watch.next()).toBe('change 2 of 2');
    expect(await watch.next()).toBe('at 2 d-2');
  });

  test('finds by itself what nobody rang for, within a second', async () => {
    const watch = world();
    expect(await watch.next()).toBe('at 0 d-0');
    watch.commit(1, false);
    expect(await afterWaiting(watch.next(), () => watch.clock.advance(1_000))).toBe('change 1 of 1');
  });

  test('is told where the account stands within five seconds of silence', async () => {
    const watch = world();
    expect(await watch.next()).toBe('at 0 d-0');
    const pending = watch.next();
    for (let second = 0; second < 4; second++) {
      await new Promise((resolve) => setImmediate(resolve));
      watch.clock.advance(1_000);
    }
    expect(await pending).toBe('at 0 d-0');
    expect(watch.looks()).toBeLessThanOrEqual(6);
  });

  test('ends and lets go of the bell when the caller hangs up', async () => {
    const watch = world();
    await watch.next();
    const pending = watch.over();
    await new Promise((resolve) => setImmediate(resolve));
    watch.end();
    expect(await pending).toBe(true);
    expect(watch.rings.size).toBe(0);
  });

  test('is cut off when it takes nothing for half a minute', async () => {
    const watch = world();
    watch.commit(2);
    await watch.next();
    watch.clock.advance(30_000);
    await expect(watch.next()).rejects.toThrow('watch again from the last revision');
    expect(watch.rings.size).toBe(0);
  });
});
