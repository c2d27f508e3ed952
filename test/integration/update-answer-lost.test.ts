import { afterAll, beforeAll, expect, test } from 'vitest';
import { strategyJson } from '../harness/sample-strategies.ts';
import { startStrategyWorld, type StrategyWorld } from '../harness/strategy-world.ts';
import { refusalOf } from '../harness/refusal.ts';

let world: StrategyWorld;
beforeAll(async () => {
  world = await startStrategyWorld({ replicas: 2 });
});
afterAll(() => world[Symbol.asyncDispose]());

function clientOf(accountId: string, replica = 0) {
  const found = world.replicas[replica];
  if (found === undefined) throw new RangeError(`there is no replica ${replica}`);
  return found.client(accountId);
}

const json = (text: string) => ({ case: 'json' as const, value: text });

async function create(client: ReturnType<typeof clientOf>, name: string): Promise<{ readonly revision: bigint }> {
  const { strategy } = await client.createStrategy({ source: json(strategyJson(name)) });
  if (strategy === undefined) throw new Error('no strategy came back');
  return strategy;
}

test('a strategy is changed once a request id, also by the name that the change has taken from it', async () => {
  const [client, other] = [clientOf('updating-once'), clientOf('updating-once', 1)];
  const { revision } = await create(client, 'x');
  const request = { strategy: 'x', revision, source: json(strategyJson('y')), requestId: 'u-1' };
  const made = await client.updateStrategy(request);
  // The answer was lost, and somebody else goes on from what was stored; the repeat neither fails nor changes anything.
  const later = { strategy: 'y', revision: made.strategy?.revision ?? 0n, source: json(strategyJson('z')) };
  const newest = await other.updateStrategy(later);
  expect((await other.updateStrategy(request)).strategy).toEqual(made.strategy);
  const both = await Promise.all([1, 2, 3].map(() => other.updateStrategy(request)));
  expect(new Set(both.map(({ strategy }) => strategy?.revision))).toEqual(new Set([made.strategy?.revision]));
  expect((await client.getStrategy({ strategy: 'z' })).strategy).toEqual(newest.strategy);
  for (const another of [{ revision: later.revision }, { source: later.source }, { strategy: 'z' }]) {
    expect(await refusalOf(client.updateStrategy({ ...request, ...another }))).toBe('AlreadyExists REQUEST_ID_REUSED');
  }
  expect(await refusalOf(clientOf('another-account').updateStrategy(request))).toBe('NotFound RESOURCE_NOT_FOUND');
});

test('an update that was refused is made with its request id when it can be', async () => {
  const client = clientOf('updating-later');
  const { revision } = await create(client, 'x');
  await create(client, 'taken');
  const request = { strategy: 'x', revision, source: json(strategyJson('taken')), requestId: 'u-1' };
  expect(await refusalOf(client.updateStrategy(request))).toBe('AlreadyExists NAME_TAKEN');
  await client.deleteStrategy({ strategy: 'taken' });
  expect((await client.updateStrategy(request)).strategy?.revision).toBe(4n);
});
