import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DisconnectPolicy } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { IntentType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { holdPosition } from './held-position.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
});

afterAll(() => world[Symbol.asyncDispose]());

test('a venue that refuses to close a position without prices is asked again from time to time, not without a pause', async () => {
  const start = { disconnectPolicy: DisconnectPolicy.FLATTEN, disconnectAfter: { seconds: 1n } };
  const { agent, session, runs } = await holdPosition(world, { start });
  agent.control({ kinds: ['closePosition'], fail: 'rejected', runs });
  await world.decide(session, { type: IntentType.INPUT_BLIND });
  const closes = async (): Promise<number> => {
    const { commands } = await world.stack.replicaCommandClient(0).listCommands({});
    return commands.filter(({ kind }) => kind.case === 'closePosition').length;
  };
  const database = new Client({ connectionString: world.stack.databaseUrl });
  await database.connect();
  await using _ = { [Symbol.asyncDispose]: () => database.end() };
  const changes = async (): Promise<number> =>
    (await database.query<{ n: number }>('SELECT version::integer AS n FROM session.session')).rows[0]?.n ?? 0;
  await until(async () => (await closes()) >= 1, 'the first is refused', 15_000);
  const before = await changes();
  await until(async () => (await closes()) >= 2, 'it is asked again', 25_000);
  expect((await changes()) - before).toBeLessThan(12);
});
