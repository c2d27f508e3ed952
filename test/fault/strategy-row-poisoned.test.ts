import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { strategyJson, strategyJsonWith } from '../harness/sample-strategies.ts';
import { startStrategyWorld, type StrategyReplica, type StrategyWorld } from '../harness/strategy-world.ts';

const json = (text: string) => ({ case: 'json' as const, value: text });

let world: StrategyWorld;
let client: ReturnType<StrategyReplica['client']>;
beforeAll(async () => {
  world = await startStrategyWorld();
  const replica = world.replicas[0];
  if (replica === undefined) throw new Error('no replica');
  client = replica.client('poisoned');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test('a stored definition that cannot be read stops no other: it is listed, watched, replaced and deleted', async () => {
  for (const name of ['a', 'b', 'c']) await client.createStrategy({ source: json(strategyJson(name)) });
  const database = new Client({ connectionString: world.databaseUrl });
  await database.connect();
  const spoil = `UPDATE strategy.revision SET definition = '{"colour": "red"}' WHERE number = 2`;
  expect((await database.query(spoil)).rowCount).toBe(1);
  await database.end();

  const { strategies } = await client.listStrategies({});
  expect(strategies.map(({ definition }) => definition?.strategyName)).toEqual(['a', undefined, 'c']);
  expect(strategies[1]?.json).toBe('{"colour": "red"}');
  const seen: string[] = [];
  for await (const { change } of client.watchChanges({})) {
    if (change === undefined) break;
    seen.push(`${change.revision} ${change.strategy?.definition?.strategyName ?? 'cannot be read'}`);
  }
  expect(seen).toEqual(['1 a', '2 cannot be read', '3 c']);

  const healed = await client.updateStrategy({ strategy: 'b', revision: 2n, source: json(strategyJsonWith('b', 7)) });
  expect(healed.strategy).toMatchObject({ revision: 4n, definition: { strategyName: 'b' } });
  const { revisions } = await client.listRevisions({ strategy: 'b' });
  expect(revisions.map(({ strategy }) => strategy?.definition?.strategyName)).toEqual(['b', undefined]);
  expect((await client.deleteStrategy({ strategy: 'b' })).strategy?.revision).toBe(5n);
});
