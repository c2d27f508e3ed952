import { Client, Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import { expect, test, vi } from 'vitest';
import type { Draft } from '../../services/session/domain/draft.ts';
import type { Observed } from '../../services/session/domain/observed.ts';
import { applyObserved } from '../../services/session/domain/results.ts';
import { planSession } from '../../services/session/domain/starting.ts';
import { executorHalted } from '../../services/session/domain/stopped.ts';
import { haltSession, stopSession } from '../../services/session/domain/stopping.ts';
import { decide, fill, NOW_MS, observe, sessionRecord, SYMBOL } from '../../services/session/domain/test-session.ts';
import { haltBook } from '../../services/session/store/halt-store.ts';
import { SessionStore } from '../../services/session/store/session-store.ts';
import { createDatabase } from '../harness/database.ts';

const SESSIONS = 250;
const EXECUTOR = { id: sessionRecord().executorId ?? '', name: 'vps-1' };
const STRATEGY = { strategyId: 'id-pump', strategyName: 'pump', revision: 3, symbols: [SYMBOL] };
const HALT = {
  accountId: 'main',
  requestId: null,
  fingerprint: null,
  scope: 'ACCOUNT',
  target: '',
  closePositions: true,
  author: 'tester',
} as const;

function haltAnswer(commandId: string, fills: Observed['fills']): Observed {
  const about = { requestId: '', commandId, state: 'SUCCEEDED', reason: '', message: '' } as const;
  return { ...about, finishTimeMs: NOW_MS, fills, closedBy: '', positions: undefined };
}

test('a kill switch over hundreds of sessions changes them together, and each as if it were alone', async () => {
  await using database = await createDatabase();
  const pool = new Pool({ connectionString: database.url, max: 2 });
  await using _ = { [Symbol.asyncDispose]: () => pool.end() };
  const changed: string[] = [];
  const listener = { changed: (id: string) => changed.push(id) };
  const store = new SessionStore(pool, () => NOW_MS, listener);
  const ids = Array.from({ length: SESSIONS }, () => uuid());
  for (const id of ids) {
    await store.create(sessionRecord({ id }), (draft) =>
      planSession(draft, { strategies: [STRATEGY], allowPartial: false, deadlineMs: NOW_MS + 20_000 }),
    );
  }
  changed.length = 0;

  const halts = haltBook(pool, () => NOW_MS, listener);
  using statements = vi.spyOn(Client.prototype, 'query');
  const haltId = uuid();
  const halt = { ...HALT, id: haltId };
  expect(await halts.create({ halt, executors: [EXECUTOR], sessionId: undefined })).toBe(true);
  const begun = statements.mock.calls.length;
  expect(begun).toBeGreaterThan(5);
  // One by one it would be some ten for each.
  expect(begun).toBeLessThan(40);
  expect(changed.toSorted()).toEqual(ids.toSorted());
  const { rows } = await pool.query(
    `SELECT s.state, s.halt_id, s.version::integer, count(DISTINCT a.instance_id)::integer AS instances, min(a.state) AS instance,
       (SELECT max(c.number)::integer FROM session.change c WHERE c.session_id = s.id) AS newest
     FROM session.session s JOIN session.activation a ON a.session_id = s.id GROUP BY s.id`,
  );
  expect(rows).toEqual(
    ids.map(() => ({
      state: 'STOPPING',
      halt_id: haltId,
      version: 2,
      instances: 1,
      instance: 'DEACTIVATING',
      newest: 2,
    })),
  );

  statements.mockClear();
  const stopping = await halts.sessions(haltId, EXECUTOR.id);
  expect(stopping).toEqual(ids);
  await store.changeEach(stopping, (draft) => executorHalted(draft, haltAnswer('c', []), true));
  expect(statements.mock.calls.length).toBeLessThan(100);
  expect(await halts.sessions(haltId, EXECUTOR.id)).toEqual([]);
  const states = await pool.query(`SELECT state, count(*)::integer AS n FROM session.session GROUP BY state`);
  expect(states.rows).toEqual([{ state: 'STOPPED', n: SESSIONS }]);
});

function owned(sessionId: string): Observed['fills'] {
  return [{ ...fill('110'), sessionId, strategyId: 'id-pump' }];
}

/** A session that holds two of its symbol, bought at 100. */
async function holding(store: SessionStore | undefined, id: string, stop: (draft: Draft) => void): Promise<void> {
  await store?.create(sessionRecord({ id }), (draft) => {
    planSession(draft, { strategies: [STRATEGY], allowPartial: false, deadlineMs: NOW_MS + 20_000 });
    for (const { instanceId } of draft.activations) draft.setActivation(instanceId, { applied: true, told: 'RUN' });
    for (const { requestId } of draft.commands) observe(draft, requestId, {});
    decide(draft, 'ENTER', 'e1');
    observe(draft, 'e1', { fills: [fill('100')] });
    stop(draft);
  });
}

test('the answers of two kill switches are booked once each, by replicas that look at once, late and after a crash', async () => {
  await using database = await createDatabase();
  const pool = new Pool({ connectionString: database.url, max: 4 });
  await using _ = { [Symbol.asyncDispose]: () => pool.end() };
  const replicas = [1, 2].map(() => new SessionStore(pool, () => NOW_MS, { changed: () => undefined }));
  const [first, second] = replicas;
  const id = uuid();
  await holding(first, id, (draft) => haltSession(draft, uuid(), true));
  const take = (replica: SessionStore | undefined, commandId: string) =>
    replica?.changeEach([id], (draft) => executorHalted(draft, haltAnswer(commandId, [fill('110', '0.5')]), true));
  await Promise.all([take(first, 'c1'), take(second, 'c1')]);
  await Promise.all([take(first, 'c2'), take(second, 'c1')]);
  // As by a replica that takes over from one that died before it had acknowledged them.
  for (const commandId of ['c1', 'c2']) await take(second, commandId);
  const { rows } = await pool.query(
    `SELECT p.state, p.quantity, p.closed_quantity, p.pnl, s.realised_pnl, s.booked_command_ids
     FROM session.position p JOIN session.session s ON s.id = p.session_id`,
  );
  const half = { state: 'OPEN', quantity: '1', closed_quantity: '1', pnl: '10', realised_pnl: '10' };
  expect(rows).toEqual([{ ...half, booked_command_ids: ['c1', 'c2'] }]);
});

test('what was found gone is priced by the stop, or the kill switch, whose answer comes after the session has ended', async () => {
  await using database = await createDatabase();
  const pool = new Pool({ connectionString: database.url, max: 2 });
  await using _ = { [Symbol.asyncDispose]: () => pool.end() };
  const changed: string[] = [];
  const listener = { changed: (id: string) => changed.push(id) };
  const store = new SessionStore(pool, () => NOW_MS, listener);
  const [stopped, halted] = [uuid(), uuid()];
  await holding(store, stopped, (draft) => {
    stopSession(draft, true, 'stopped');
    observe(draft, `stop:${stopped}:0`, { state: 'OUTCOME_UNKNOWN' });
    observe(draft, `stop:${stopped}:1`, {});
  });
  await holding(store, halted, (draft) => {
    haltSession(draft, uuid(), true);
    executorHalted(draft, haltAnswer('c2', []), true);
  });
  const booked = async () => {
    const { rows } = await pool.query(
      `SELECT s.state, p.pnl, p.unpriced_quantity, s.realised_pnl
       FROM session.position p JOIN session.session s ON s.id = p.session_id`,
    );
    return rows;
  };
  const gone = { state: 'STOPPED', pnl: '', unpriced_quantity: '2', realised_pnl: '0' };
  expect(await booked()).toEqual([gone, gone]);

  const halts = haltBook(pool, () => NOW_MS, listener);
  const halt = { ...HALT, id: uuid() };
  await halts.create({ halt, executors: [EXECUTOR], sessionId: undefined });
  expect(await halts.sessions(halt.id, EXECUTOR.id)).toEqual([]);
  const named = await halts.sessions(halt.id, EXECUTOR.id, [halted, uuid()]);
  expect(named).toEqual([halted]);
  changed.length = 0;
  const priced = (draft: Draft): void => executorHalted(draft, haltAnswer('c1', owned(halted)), true);
  await store.changeEach(named, priced, { unpriced: true });
  const answer = { ...haltAnswer('c0', owned(stopped)), requestId: `stop:${stopped}:0` };
  for (let times = 0; times < 2; times++) {
    const options = { requestIds: [answer.requestId] };
    await store.change(stopped, (draft) => applyObserved(draft, answer), options);
  }
  const sold = { state: 'STOPPED', pnl: '20', unpriced_quantity: '', realised_pnl: '20' };
  expect(await booked()).toEqual([sold, sold]);
  expect(changed).toEqual([halted, stopped]);
});
