import { Client, Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import { expect, test, vi } from 'vitest';
import { executorHalted } from '../../services/session/domain/stopped.ts';
import { planSession } from '../../services/session/domain/starting.ts';
import { NOW_MS, sessionRecord, SYMBOL } from '../../services/session/domain/test-session.ts';
import { haltBook } from '../../services/session/store/halt-store.ts';
import { SessionStore } from '../../services/session/store/session-store.ts';
import { createDatabase } from '../harness/database.ts';

const SESSIONS = 250;
const EXECUTOR = { id: sessionRecord().executorId ?? '', name: 'vps-1' };
const STRATEGY = { strategyId: 'id-pump', strategyName: 'pump', revision: 3, symbols: [SYMBOL] };

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
  const halt = {
    id: haltId,
    accountId: 'main',
    requestId: null,
    fingerprint: null,
    scope: 'ACCOUNT',
    target: '',
    closePositions: true,
    author: 'tester',
  } as const;
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
  const news = { requestId: '', commandId: 'c', state: 'SUCCEEDED', reason: '', message: '' } as const;
  await store.changeEach(stopping, (draft) =>
    executorHalted(draft, { ...news, finishTimeMs: NOW_MS, fills: [], closedBy: '', positions: undefined }, true),
  );
  expect(statements.mock.calls.length).toBeLessThan(100);
  expect(await halts.sessions(haltId, EXECUTOR.id)).toEqual([]);
  const states = await pool.query(`SELECT state, count(*)::integer AS n FROM session.session GROUP BY state`);
  expect(states.rows).toEqual([{ state: 'STOPPED', n: SESSIONS }]);
});
