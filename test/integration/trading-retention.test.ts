import { Code, ConnectError } from '@connectrpc/connect';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { HaltScope, PositionState, SessionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { evaluatorRetention } from '../../services/evaluator/running/retention.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { sessionRetention } from '../../services/session/store/retention.ts';
import { strategyRetention } from '../../services/strategy/store/retention.ts';
import { EvaluatorWorld, pumpStrategy as evaluated } from '../harness/evaluator-world.ts';
import { pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { startStrategyWorld } from '../harness/strategy-world.ts';
import { until } from '../harness/until.ts';

const KEEP_DAYS = 30;
const logger = createLogger('retention test', 'silent');

function poolOf(databaseUrl: string): Pool {
  return createPool({ databaseUrl, applicationName: 'retention test', connectionsMax: 1, logger });
}

async function count(pool: Pool, table: string, where = 'true'): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table} WHERE ${where}`);
  return rows[0]?.n ?? 0;
}

test('of a session that ended long ago, what it was and traded stays, and how it came to that goes', async () => {
  await using world = await SessionWorld.start();
  for (const name of ['pump', 'idle']) world.neighbours.strategy(pumpStrategy(name));
  await world.agent('vps-1');
  const { client } = world;
  const both = { strategies: ['pump', 'idle'].map((strategy) => ({ strategy, symbols: [SYMBOL] })) };
  const [over, live] = [await world.paper('vps-1', 'pump', both), await world.paper('vps-1', 'pump', both)];
  for (const session of [over, live]) {
    await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
    await world.outcome(await world.decide(session, { type: IntentType.EXIT }), OutcomeType.CLOSED);
  }
  await client.stopSession({ id: over.id });
  await until(async () => (await world.session(over.id)).state === SessionState.STOPPED, 'one session is over');
  let cursor = '';
  for await (const event of client.watchSession({ id: over.id })) {
    ({ cursor } = event);
    if (event.change.case !== undefined) break;
  }
  const pool = poolOf(world.stack.databaseUrl);
  const rows = async (id: string) =>
    Promise.all(
      ['intent', 'outcome', 'command', 'change'].map((table) =>
        count(pool, `session.${table}`, `session_id = '${id}'`),
      ),
    );
  await until(
    async () =>
      (await count(pool, 'session.outcome', 'NOT told')) === 0 &&
      (await count(pool, 'session.work', `owner IS NOT NULL OR due_time < now() + interval '1 second'`)) === 0,
    'nothing is on its way',
  );
  const before = { over: await rows(over.id), live: await rows(live.id) };
  for (const days of [29, 31]) {
    await pool.query(
      `INSERT INTO session.activation_request (account_id, request_id, fingerprint, session_id, instance_ids, create_time)
      VALUES ('main', $1, '', $2, '{}', now() - $3::integer * interval '1 day')`,
      [`activated ${days} days ago`, live.id, days],
    );
  }

  const removeOld = () => sessionRetention(pool, logger, KEEP_DAYS).removeOld();
  await removeOld();
  expect({ over: await rows(over.id), live: await rows(live.id) }).toEqual(before);
  expect(await count(pool, 'session.activation_request', `request_id = 'activated 29 days ago'`)).toBe(1);
  expect(await count(pool, 'session.activation_request')).toBe(1);

  for (const [table, column] of [
    ['session', 'stop_time'],
    ['intent', 'create_time'],
    ['outcome', 'create_time'],
    ['command', 'create_time'],
  ] as const) {
    await pool.query(`UPDATE session.${table} SET ${column} = ${column} - interval '31 days'`);
  }
  await removeOld();
  expect(await rows(over.id)).toEqual([0, 0, 0, 0]);
  // What the other runs by stays: its start, and its changes for those who watch.
  const [, , , liveChanges] = before.live;
  expect(await rows(live.id)).toEqual([0, 0, 3, liveChanges]);
  await pool.end();

  expect(await world.session(over.id)).toMatchObject({
    state: SessionState.STOPPED,
    activations: [{ strategyName: 'pump' }],
  });
  expect((await world.session(live.id)).activations.map(({ strategyName }) => strategyName)).toEqual(['pump', 'idle']);
  for (const { id } of [over, live]) {
    expect((await client.listPositions({ sessionId: id })).positions).toMatchObject([{ state: PositionState.CLOSED }]);
    expect((await client.listSignals({ sessionId: id })).signals).toHaveLength(1);
  }
  for await (const { change } of client.watchSession({ id: over.id })) {
    if (change.case === undefined) continue;
    expect(change).toMatchObject({ case: 'session', value: { id: over.id, state: SessionState.STOPPED } });
    break;
  }
  const behind = await refused(async () => {
    const signal = AbortSignal.timeout(10_000);
    for await (const { change } of client.watchSession({ id: over.id, cursor }, { signal })) {
      expect(change.case).toBeUndefined();
    }
  });
  expect([behind.code, reasonOf(behind)]).toEqual([Code.OutOfRange, 'CURSOR_TOO_OLD']);
  // The one that lives goes on trading.
  await world.outcome(await world.decide(live, { type: IntentType.ENTER }), OutcomeType.OPENED);
});

test('a kill switch goes by age, unless it is the newest, is waited for, or something that is not over refers to it', async () => {
  await using world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'));
  await world.agent('vps-1');
  await world.agent('vps-2');
  await world.stack.createExecutor('away');
  const { client } = world;
  const halted = async (scope: HaltScope, target: string): Promise<string> => {
    const wait = { seconds: target === 'away' ? 0n : 10n };
    const { halt } = await client.stopAll({ scope, target, wait });
    expect(halt?.complete).toBe(target !== 'away');
    return halt?.id ?? '';
  };
  const session = await world.paper('vps-1', 'pump');
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  const goes = await halted(HaltScope.EXECUTOR, 'vps-2');
  const leavesPosition = await halted(HaltScope.SESSION, session.id);
  const unsettled = await halted(HaltScope.EXECUTOR, 'vps-2');
  const newestOfVps2 = await halted(HaltScope.EXECUTOR, 'vps-2');
  const waits = await halted(HaltScope.EXECUTOR, 'away');
  const newest = await halted(HaltScope.EXECUTOR, 'vps-1');

  const pool = poolOf(world.stack.databaseUrl);
  const attempt = (halt: string, state: string) =>
    pool.query(
      `INSERT INTO session.command (account_id, request_id, session_id, halt_id, executor_id, purpose, subject_id, wish, state,
        command_id, reason, message, cancel_wanted, create_time)
      SELECT account_id, 'earlier:' || request_id, session_id, halt_id, executor_id, purpose, subject_id, wish, $2, command_id,
        reason, message, cancel_wanted, create_time FROM session.command WHERE halt_id = $1`,
      [halt, state],
    );
  await attempt(leavesPosition, 'FAILED');
  await attempt(unsettled, 'OUTCOME_UNKNOWN');
  const kept = async () => {
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM session.halt ORDER BY id');
    return rows.map(({ id }) => id);
  };
  const removeOld = () => sessionRetention(pool, logger, KEEP_DAYS).removeOld();
  await removeOld();
  const all = [goes, leavesPosition, unsettled, newestOfVps2, waits, newest];
  expect(await kept()).toEqual(all);

  await pool.query(`UPDATE session.halt SET create_time = create_time - interval '31 days',
    complete_time = complete_time - interval '31 days'`);
  await pool.query(`UPDATE session.command SET create_time = create_time - interval '31 days'`);
  await pool.query(`UPDATE session.session SET stop_time = stop_time - interval '31 days'`);
  await removeOld();
  expect(await kept()).toEqual(all.filter((id) => id !== goes));
  expect(await count(pool, 'session.halt_target', `halt_id = '${goes}'`)).toBe(0);
  expect(await count(pool, 'session.command', `halt_id = '${goes}'`)).toBe(0);
  // The attempt in whose place another one was issued has gone, the one of unknown outcome not.
  expect(await count(pool, 'session.command', `halt_id = '${leavesPosition}'`)).toBe(1);
  expect(await count(pool, 'session.command', `halt_id = '${unsettled}'`)).toBe(2);
  expect((await refused(() => client.getHalt({ id: goes }))).code).toBe(Code.NotFound);
  // One that is waited for goes before a later one that is over.
  expect((await client.getHalt({})).halt?.id).toBe(waits);
  expect((await client.getHalt({ id: newest })).halt?.id).toBe(newest);
  expect((await client.getHalt({ id: leavesPosition })).halt?.acknowledgements).toMatchObject([{ flat: true }]);

  // With the position, and when somebody knows, they go as well.
  await pool.query(`UPDATE session.position SET state = 'CLOSED'`);
  await pool.query(`UPDATE session.command SET state = 'FAILED' WHERE state = 'OUTCOME_UNKNOWN'`);
  await removeOld();
  expect(await kept()).toEqual([newestOfVps2, waits, newest]);
  await pool.end();
});

test('an instance that ended goes with the last that is known of it, one whose session runs stays', async () => {
  await using world = await EvaluatorWorld.start();
  const replica = await world.replica('one');
  world.save('s1', evaluated());
  const ended = await world.activate(replica, 's1');
  world.save('s2', evaluated());
  const sibling = await world.activate(replica, 's2');
  const { strategyId, symbol, wantedRevision: revision } = sibling;
  const alone = { instanceId: 'alone', strategyId, revision, symbol };
  await replica.client.activateInstances({ sessionId: 'another', instances: [alone] }, world.options);
  const end = (id: string) => replica.client.deactivateInstances({ instanceIds: [id] }, world.options);
  await end(ended.id);
  await end('alone');
  const pool = poolOf(world.database.url);
  await pool.query(
    `INSERT INTO evaluator.intent (id, account_id, instance_id, payload) VALUES ('on its way', $1, 'alone', '')`,
    ['nobody'],
  );
  const kept = async () => {
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM evaluator.instance');
    return new Set(rows.map(({ id }) => id));
  };
  const removeOld = () => evaluatorRetention(pool, logger, KEEP_DAYS).removeOld();
  const all = new Set([ended.id, sibling.id, 'alone']);
  await removeOld();
  expect(await kept()).toEqual(all);

  await pool.query(`UPDATE evaluator.instance SET control_time = control_time - interval '31 days'`);
  await removeOld();
  expect(await kept()).toEqual(all);
  await pool.query(`DELETE FROM evaluator.intent WHERE id = 'on its way'`);
  await removeOld();
  expect(await kept()).toEqual(new Set([ended.id, sibling.id]));

  // The session has ended, and of one instance there is a record of yesterday.
  await end(sibling.id);
  await pool.query(`UPDATE evaluator.instance SET control_time = control_time - interval '31 days'`);
  await pool.query(
    `INSERT INTO evaluator.evaluation (account_id, number, instance_id, session_id, record_time, body)
    VALUES ($1, 1000000, $2, $3, now() - interval '1 day', '{}')`,
    [world.accountId, sibling.id, world.sessionId],
  );
  await removeOld();
  expect(await kept()).toEqual(new Set([sibling.id]));
  await pool.query(`UPDATE evaluator.evaluation SET record_time = record_time - interval '31 days'`);
  await removeOld();
  expect(await kept()).toEqual(new Set());
  await pool.end();
});

test('who made a strategy by which request is forgotten by age, the strategy is not', async () => {
  await using world = await startStrategyWorld();
  const [replica] = world.replicas;
  if (replica === undefined) throw new Error('no strategy service runs');
  const client = replica.client('acme');
  const source = { case: 'json', value: JSON.stringify(FORM) } as const;
  const { strategy } = await client.createStrategy({ source, requestId: 'once' });
  const update = { strategy: 'kept', revision: strategy?.revision ?? 0n, source, requestId: 'once' };
  await client.updateStrategy(update);
  const pool = poolOf(world.databaseUrl);
  await pool.query(
    `INSERT INTO strategy.outbox (account_id, number, time) VALUES ('gone', 1, now() - interval '29 days')`,
  );
  const removeOld = () => strategyRetention(pool, logger, KEEP_DAYS).removeOld();
  await removeOld();
  expect((await client.createStrategy({ source, requestId: 'once' })).strategy?.id).toBe(strategy?.id);
  expect(await count(pool, 'strategy.outbox', `account_id = 'gone'`)).toBe(1);
  expect(await count(pool, 'strategy.request', 'true')).toBe(1);

  await pool.query(`UPDATE strategy.strategy SET create_time = create_time - interval '31 days'`);
  await pool.query(`UPDATE strategy.outbox SET time = time - interval '2 days'`);
  await pool.query(`UPDATE strategy.request SET time = time - interval '31 days'`);
  await removeOld();
  expect(await count(pool, 'strategy.outbox', `account_id = 'gone'`)).toBe(0);
  expect(await count(pool, 'strategy.request', 'true')).toBe(0);
  await pool.end();
  const again = await refused(() => client.createStrategy({ source, requestId: 'once' }));
  expect(again.code).toBe(Code.AlreadyExists);
  expect((await client.getStrategy({ strategy: 'kept', revision: strategy?.revision ?? 0n })).strategy?.id).toBe(
    strategy?.id,
  );
});

test('a revision that nobody runs is removed by age; one that runs or is wanted stays, however old', async () => {
  await using world = await EvaluatorWorld.start();
  const replica = await world.replica('one');
  world.save('s1', evaluated());
  const { id, runningRevision: first } = await world.activate(replica, 's1');
  const edited = async (signal: number, after: bigint): Promise<bigint> => {
    world.save('s1', evaluated({ signal }));
    return until(async () => {
      const { runningRevision } = await world.instance(replica, id);
      return runningRevision > after && runningRevision;
    }, 'the edit has been applied');
  };
  const second = await edited(6, first);
  const third = await edited(7, second);
  const pool = poolOf(world.database.url);
  const kept = async () => {
    const { rows } = await pool.query<{ revision: string }>('SELECT revision FROM evaluator.definition ORDER BY 1');
    return rows.map(({ revision }) => BigInt(revision));
  };
  const removeOld = () => evaluatorRetention(pool, logger, KEEP_DAYS).removeOld();
  await removeOld();
  expect(await kept()).toEqual([first, second, third]);
  await pool.query(`UPDATE evaluator.definition SET create_time = create_time - interval '31 days'`);
  await removeOld();
  // The first is what was activated; the third is what runs.
  expect(await kept()).toEqual([first, third]);
  await pool.end();
});

const FORM = {
  strategy_name: 'kept',
  s1_signal: { conditions: [{ id: 'a', indicatorId: 'price', operator: '>', value: 1 }] },
  z1_entry: { conditions: [{ id: 'b', indicatorId: 'price', operator: '>', value: 1 }] },
  ze1_close: { conditions: [] },
  o1_cancel: { conditions: [] },
  emergency_exit: { conditions: [] },
  global_limits: { base_position_pct: 0.1 },
};

async function refused(call: () => Promise<unknown>): Promise<ConnectError> {
  try {
    await call();
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
  throw new Error('the call was expected to fail');
}
