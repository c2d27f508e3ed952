import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChangeType } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { EvaluatorWorld, pumpStrategy, statusOf } from '../harness/evaluator-world.ts';
import { until } from '../harness/until.ts';

let world: EvaluatorWorld;

beforeEach(async () => {
  world = await EvaluatorWorld.start();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

describe('activation is an answer', () => {
  test('ACTIVE says the exact revision, and that the market is heard', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    world.save('s1', pumpStrategy({ signal: 6 }));
    const answer = await world.activate(replica, 's1', { revision: 1n, pinned: true });
    expect(answer).toMatchObject({
      fault: '',
      runningRevision: 1n,
      wantedRevision: 1n,
      replicaId: 'a',
      strategyName: 'pump',
    });
    expect(statusOf(answer)).toBe('ACTIVE');
    expect(world.neighbours.market.watching).toBe(1);
  });

  test('a strategy that was saved while the evaluator ran, and a millisecond ago, can be activated', async () => {
    const replica = await world.replica('a');
    for (let n = 1; n <= 5; n++) {
      const { revision } = world.save(`late-${n}`, pumpStrategy(), { hint: n % 2 === 0 });
      const answer = await world.activate(replica, `late-${n}`, { revision });
      expect([statusOf(answer), answer.fault, answer.runningRevision]).toEqual(['ACTIVE', '', revision]);
    }
  });

  test.each([
    { what: 'an unknown strategy', wish: { strategy: 'nobody', revision: 1n }, fault: /strategy nobody is not known/ },
    { what: 'a revision that is not there', wish: { strategy: 's1', revision: 9n }, fault: /s1 has no revision 9/ },
    {
      what: 'an unknown indicator',
      wish: { strategy: 'odd' },
      fault: /indicator "moon_phase" is not known.*known are/,
    },
    {
      what: 'a symbol without a source',
      wish: { strategy: 's1', revision: 1n, symbol: 'DOGE_USDT' },
      fault: /no market source feeds DOGE_USDT/,
    },
  ])('$what fails with the reason', async ({ wish: { strategy, ...wish }, fault }) => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    world.save('odd', pumpStrategy({ indicator: 'Moon-Phase' }));
    const answer = await world.activate(replica, strategy, wish);
    expect(statusOf(answer)).toBe('FAILED');
    expect(answer.fault).toMatch(fault);
    expect(answer.runningRevision).toBe(0n);
  });

  test('one that failed runs once what was missing is there', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const id = randomUUID();
    expect(statusOf(await world.activate(replica, 's1', { id, symbol: 'ETH_USDT' }))).toBe('FAILED');
    world.neighbours.market.sources.add('ETH_USDT');
    expect(statusOf(await world.activate(replica, 's1', { id, symbol: 'ETH_USDT' }))).toBe('ACTIVE');
  });

  test('a repeat changes nothing, and another instance under the same id is refused', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy());
    const id = randomUUID();
    const first = await world.activate(replica, 's1', { id });
    expect(await world.activate(replica, 's1', { id })).toEqual(first);
    await expect(world.activate(replica, 's1', { id, symbol: 'ETH_USDT' })).rejects.toThrow(/make a new id/);
  });

  test('names in any case, and symbols too, mean the same', async () => {
    const replica = await world.replica('a');
    world.save('s1', pumpStrategy({ indicator: 'PUMP-magnitude-PCT' }));
    const answer = await world.activate(replica, 's1', { symbol: 'btc_usdt' });
    expect([statusOf(answer), answer.symbol]).toEqual(['ACTIVE', 'BTC_USDT']);
  });

  test('bad requests are told every fault at once', async () => {
    const { client } = await world.replica('a');
    const request = { instances: [{ instanceId: 'x', revision: 0n, symbol: '?' }] };
    await expect(client.activateInstances(request, world.options)).rejects.toThrow(
      /session_id: is required.*strategy_id: is required.*revision: must be at least 1.*symbol: must be a symbol/,
    );
  });
});

describe('the strategy cache', () => {
  test('equals the store on every replica after saves, edits and deletions, hints lost, doubled and out of order', async () => {
    const replica = await world.replica('a');
    await world.replica('b');
    world.save('s0', pumpStrategy());
    await world.activate(replica, 's0');
    const changes = Array.from({ length: 30 }, (_, n) =>
      n % 7 === 6
        ? world.neighbours.strategies.save(`s${(n - 1) % 5}`, pumpStrategy(), ChangeType.DELETED)
        : world.neighbours.strategies.save(`s${n % 5}`, pumpStrategy({ signal: n })),
    );
    for (const change of changes.toReversed()) if (change.revision % 3n !== 0n) world.hint(change);
    for (const change of changes.slice(-4)) world.hint(change);
    const { revision, digest } = world.neighbours.strategies;
    const caches = await until(async () => {
      const { caches: told } = await replica.client.listCaches({}, world.options);
      return told.length === 2 && told.every((cache) => Number(cache.appliedRevision) === revision) && told;
    }, 'both caches up to date');
    expect(caches.map((cache) => [cache.replicaId, cache.digest])).toEqual([
      ['a', digest],
      ['b', digest],
    ]);
  });
});
