import { create } from '@bufbuild/protobuf';
import { Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import { expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { WatchCommandsResponseSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { haltCommand } from '../../services/session/domain/halt.ts';
import { planSession } from '../../services/session/domain/starting.ts';
import { executorHalted } from '../../services/session/domain/stopped.ts';
import { decide, fill, NOW_MS, observe, sessionRecord, SYMBOL } from '../../services/session/domain/test-session.ts';
import { readCommandNews } from '../../services/session/follow/command-follow.ts';
import { followBook } from '../../services/session/store/follow-store.ts';
import { haltBook } from '../../services/session/store/halt-store.ts';
import { SessionStore } from '../../services/session/store/session-store.ts';
import { createDatabase } from '../harness/database.ts';

const STRATEGY = { strategyId: 'id-pump', strategyName: 'pump', revision: 3, symbols: [SYMBOL] };

test('a stop of the kill switch in whose place another one was issued books what it closed, when its answer comes at last', async () => {
  await using database = await createDatabase();
  const pool = new Pool({ connectionString: database.url, max: 2 });
  await using _ = { [Symbol.asyncDispose]: () => pool.end() };
  const listener = { changed: () => undefined };
  const store = new SessionStore(pool, () => NOW_MS, listener);
  const halts = haltBook(pool, () => NOW_MS, listener);
  const id = uuid();
  await store.create(sessionRecord({ id }), (draft) => {
    planSession(draft, { strategies: [STRATEGY], allowPartial: false, deadlineMs: NOW_MS + 20_000 });
    for (const { instanceId } of draft.activations) draft.setActivation(instanceId, { applied: true, told: 'RUN' });
    for (const { requestId } of draft.commands) observe(draft, requestId, {});
    decide(draft, 'ENTER', 'e1');
    observe(draft, 'e1', { fills: [fill('100')] });
  });
  const executor = { id: sessionRecord().executorId ?? '', name: 'vps-1' };
  const halt = {
    id: uuid(),
    accountId: 'main',
    requestId: null,
    fingerprint: null,
    scope: 'ACCOUNT',
    target: '',
    closePositions: true,
    author: 'tester',
  } as const;
  await halts.create({ halt, executors: [executor], sessionId: undefined });
  const [target] = (await halts.get('main', halt.id))?.targets ?? [];
  if (target === undefined) throw new Error('the halt waits for nobody');

  // Nobody knows what became of the first stop; the second finds nothing left.
  await halts.observed({ ...target.command, state: 'OUTCOME_UNKNOWN', commandId: 'c0' });
  const second = haltCommand({ halt: { ...halt }, sessionId: undefined }, executor.id, 1, NOW_MS);
  await halts.again(target, second);
  await store.changeEach([id], (draft) => {
    const answer = {
      requestId: second.requestId,
      commandId: 'c1',
      state: 'SUCCEEDED',
      reason: '',
      message: '',
    } as const;
    executorHalted(draft, { ...answer, finishTimeMs: NOW_MS, fills: [], closedBy: '', positions: undefined }, true);
  });
  await halts.acknowledged(target, NOW_MS);
  await halts.complete(halt.id);

  const follow = followBook(pool, 'one', () => NOW_MS, listener);
  await follow.begin('main', '');
  const [followed] = await follow.claim(60_000, 1);
  const fills = [{ symbol: SYMBOL, quantity: '2', price: '110', fee: '0.5', sessionId: id, strategyId: 'id-pump' }];
  const { requestId } = target.command;
  const event = create(WatchCommandsResponseSchema, {
    cursor: 'behind it',
    command: { id: 'c0', requestId, state: CommandState.SUCCEEDED, result: { fills } },
  });
  for (let times = 0; times < 2; times++) {
    const news = await readCommandNews(follow, 'main', [event]);
    const { epoch } = followed ?? { epoch: 0 };
    await follow.advance({ accountId: 'main', epoch, stream: 'commands', cursor: event.cursor, ...news });
    const { rows } = await pool.query(
      `SELECT s.state, p.exit_price, p.pnl, p.unpriced_quantity, s.realised_pnl
       FROM session.position p JOIN session.session s ON s.id = p.session_id`,
    );
    const sold = { state: 'STOPPED', exit_price: '110', pnl: '19.5', unpriced_quantity: '', realised_pnl: '19.5' };
    expect(rows).toEqual([sold]);
  }
});
