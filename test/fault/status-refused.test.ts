import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IntentType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
});

afterAll(() => world[Symbol.asyncDispose]());

test('an executor that refuses to say what it holds is asked again from time to time, not without a pause', async () => {
  const { agent, session, runs } = await holdPosition(world);
  agent.control({ kinds: ['closePosition', 'getStatus'], fail: 'target_unknown', runs });
  await world.decide(session, { type: IntentType.EXIT });
  const asked = async (): Promise<number> => {
    const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
    return commands.filter(({ kind }) => kind.case === 'getStatus').length;
  };
  const database = new Client({ connectionString: world.stack.databaseUrl });
  await database.connect();
  await using _ = { [Symbol.asyncDispose]: () => database.end() };
  const kicks = async (): Promise<number> =>
    (await database.query<{ n: number }>('SELECT kicks::integer AS n FROM session.work')).rows[0]?.n ?? 0;
  await until(async () => (await asked()) >= 1, 'it is asked', 15_000);
  const before = await kicks();
  await until(async () => (await asked()) >= 2, 'it is asked again', 25_000);
  expect((await kicks()) - before).toBeLessThan(20);
});
