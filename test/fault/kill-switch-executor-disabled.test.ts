import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { HaltScope, PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { pumpStrategy, SessionWorld } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';
import { online } from './observe.ts';

const ENDED_MS_MAX = 20_000;

test('a halt that waits for an executor ends when that is disabled, by two replicas at once, and says what is not known', async () => {
  await using world = await SessionWorld.start();
  const second = await world.addReplica();
  world.neighbours.strategy(pumpStrategy('pump'));
  const { stack, client } = world;
  const agent = await stack.startAgent({ credentials: await stack.createExecutor('lost') });
  await stack.createExecutor('away');
  const session = await world.paper('lost', 'pump');
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  await agent.stop();
  const { halt } = await client.stopAll({ scope: HaltScope.EXECUTOR, target: 'lost', closePositions: true });
  const { halt: other } = await client.stopAll({ scope: HaltScope.EXECUTOR, target: 'away', closePositions: true });
  const [id, otherId] = [halt?.id ?? '', other?.id ?? ''];
  const noteOf = async (haltId: string) =>
    (await second.client.getHalt({ id: haltId })).halt?.acknowledgements[0]?.note ?? '';
  expect(await noteOf(id)).toContain('away');

  await stack.replicaExecutorClient(0).disableExecutor({ executor: 'lost' });
  await until(async () => (await noteOf(id)).startsWith('ended unconfirmed'), 'the halt has ended', ENDED_MS_MAX);
  expect(await noteOf(id)).toBe(
    'ended unconfirmed: executor lost was disabled; nobody has confirmed the stop, and whether positions are open at its venue is not known: look there',
  );
  // It is over, and nobody says that it was confirmed.
  const { halt: ended } = await client.getHalt({ id });
  expect(ended).toMatchObject({ complete: false, over: true, acknowledgements: [{ flat: false }] });
  const [gaveUp] = ended?.acknowledgements ?? [];
  expect(gaveUp?.giveUpTime).toBeDefined();
  const { command } = await stack.replicaCommandClient(0).getCommand({ id: gaveUp?.commandId ?? '' });
  expect(command?.state).toBe(CommandState.CANCELLED);
  await until(async () => (await world.session(session.id)).state === SessionState.STOPPED, 'the session is over');
  expect((await world.session(session.id)).reason).toContain('executor lost was disabled');
  const { positions } = await client.listPositions({ sessionId: session.id });
  expect(positions).toMatchObject([{ state: PositionState.OPEN }]);

  const rows = await query(stack.databaseUrl, `SELECT id FROM session.halt WHERE due_time < 'infinity'`);
  // That of the executor that is only away is still looked at, and no other.
  expect(rows).toEqual([{ id: otherId }]);
  expect(await noteOf(otherId)).toContain('away');
});

test('a kill switch for the account asks for a session whose executor was disabled before, and never calls it confirmed', async () => {
  await using world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
  const { stack, client } = world;
  await stack.startAgent({ credentials: await stack.createExecutor('lost') });
  const session = await world.paper('lost', 'pump');
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  await stack.replicaExecutorClient(0).disableExecutor({ executor: 'lost' });
  const { halt } = await client.stopAll({ scope: HaltScope.ACCOUNT, closePositions: true });
  const look = async () => (await client.getHalt({ id: halt?.id ?? '' })).halt;
  await until(async () => (await look())?.over === true, 'it is over', ENDED_MS_MAX);
  expect(await look()).toMatchObject({ complete: false, acknowledgements: [{ executorName: 'lost', flat: false }] });
  const ended = await world.session(session.id);
  expect([ended.state, ended.reason]).toEqual([SessionState.STOPPED, expect.stringContaining('was disabled')]);
});

test('a stop that an agent does not execute is asked for again as it is, and makes no rows', async () => {
  await using world = await SessionWorld.start();
  const { stack, client } = world;
  const credentials = await stack.createExecutor('deaf');
  await stack.startAgent({ credentials, env: { STRATEGOS_LIMIT_KINDS: 'ping' } });
  await online(stack, 'deaf');
  const { halt } = await client.stopAll({ scope: HaltScope.EXECUTOR, target: 'deaf', closePositions: true });
  const tries = () => query(stack.databaseUrl, 'SELECT request_id AS id FROM session.command ORDER BY id');
  const refused = () =>
    query(stack.databaseUrl, `SELECT FROM session.command WHERE reason = 'KIND_UNSUPPORTED' AND state = 'WANTED'`);
  await until(async () => (await refused()).length > 0, 'it is refused');
  const before = await tries();
  // It is due again later at each look.
  const due = async () =>
    (await query(stack.databaseUrl, 'SELECT due_time::text AS id FROM session.halt'))[0]?.id ?? '';
  for (let looks = 0; looks < 3; looks += 1) {
    const last = await due();
    await until(async () => (await due()) > last, 'it is looked at again');
  }
  expect(await tries()).toEqual(before);
  const { halt: later } = await client.getHalt({ id: halt?.id ?? '' });
  expect(later).toMatchObject({ over: false, acknowledgements: [{ flat: false }] });
  expect(later?.acknowledgements[0]?.note).toContain('not stopped: ');
});

async function query(databaseUrl: string, text: string): Promise<{ readonly id: string }[]> {
  const pool = createPool({
    databaseUrl,
    applicationName: 'halt test',
    connectionsMax: 1,
    logger: createLogger('halt test', 'silent'),
  });
  try {
    return (await pool.query<{ id: string }>(text)).rows;
  } finally {
    await pool.end();
  }
}
