import type { Client } from 'pg';

const ACCOUNTS = 10;
const SESSIONS = 1_000;
/** The first of each account are open; the others ended long ago. */
const OPEN_SESSIONS = 20;
const EACH = 20;
/** Id of session, instance or executor `n`. */
const uuid = (kind: string, n: string): string =>
  `('00000000-0000-7000-${kind}-' || lpad((${n})::text, 12, '0'))::uuid`;

/** Account of session `n`. */
const account = (n: string): string => `'desk-' || ${n} % ${ACCOUNTS}`;

/** Names of the rows below, so that a test can use them. */
export const sampleSession = {
  accountId: (session: number): string => `desk-${session % ACCOUNTS}`,
  id: (session: number): string => `00000000-0000-7000-a000-${String(session).padStart(12, '0')}`,
  executorId: '00000000-0000-7000-c000-000000000001',
  requestId: (session: number, row: number): string => `request-${session}-${row}`,
  positionId: (row: number): string => `position-${row}`,
  strategyId: 'strategy-1',
} as const;

/** Fills a migrated database with sessions, few of them open, and what belongs to each; analysed. */
export async function insertSampleSessions(client: Client): Promise<void> {
  const of = `generate_series(0, ${SESSIONS - 1}) s, generate_series(0, ${EACH - 1}) r`;
  const isOpen = `s < ${OPEN_SESSIONS} AND r = 0`;
  const id = uuid('a000', 's');
  const time = `now() - (CASE WHEN s < ${OPEN_SESSIONS} THEN 0 ELSE 40 END) * interval '1 day'`;
  await client.query(`INSERT INTO session.session (id, account_id, author, mode, state, reason, executor_id, executor_name, pin_policy,
      disconnect_policy, disconnect_after_ms, initial_balance, realised_pnl, equity, peak_equity, max_drawdown_pct, balance, dataset,
      progress_percent, close_positions, stop_attempt, version, create_time, stop_time)
    SELECT ${id}, ${account('s')}, 'anna', 'PAPER', CASE WHEN s < ${OPEN_SESSIONS} THEN 'ACTIVE' ELSE 'STOPPED' END, '',
      '${sampleSession.executorId}'::uuid, 'vps-1', 'PINNED', 'HOLD', 0, '1', '0', '1', '1', '0', '', '', 0, false, 0, ${EACH},
      ${time}, CASE WHEN s >= ${OPEN_SESSIONS} THEN ${time} END FROM generate_series(0, ${SESSIONS - 1}) s`);
  await client.query(`INSERT INTO session.work (session_id, due_time)
    SELECT ${id}, CASE WHEN s < ${OPEN_SESSIONS} THEN now() ELSE 'infinity' END FROM generate_series(0, ${SESSIONS - 1}) s`);
  await client.query(`INSERT INTO session.activation (instance_id, session_id, strategy_id, strategy_name, symbol, revision, state,
      missing, batch_id, allow_partial, start_deadline_time, wanted, applied, evaluator_fault, close_positions, start_request_id,
      command_id, create_time, update_time)
    SELECT ${uuid('b000', `s * ${EACH} + r`)}, ${id}, 'strategy-' || r, 'n', 'S', 1,
      CASE WHEN s < ${OPEN_SESSIONS} THEN 'ACTIVE' ELSE 'INACTIVE' END, '[]', ${id}, false, now(), 'RUN', true, '', false, '', '',
      now(), now() FROM ${of}`);
  await client.query(`INSERT INTO session.intent (account_id, id, session_id, body, done, create_time)
    SELECT ${account('s')}, 'intent-' || s || '-' || r, ${id}, '{}', NOT (${isOpen}), ${time} FROM ${of}`);
  await client.query(`INSERT INTO session.outcome (id, session_id, body, told, create_time)
    SELECT 'outcome-' || s || '-' || r, ${id}, '{}', NOT (${isOpen}), ${time} FROM ${of}`);
  await client.query(`INSERT INTO session.signal (id, session_id, instance_id, strategy_id, strategy_name, symbol, revision, state,
      reason, market_time, price, inputs, command_id, position_id, create_time, update_time)
    SELECT 'signal-' || r, ${id}, 'i', 'x', 'n', 'S', 1, CASE WHEN ${isOpen} THEN 'DETECTED' ELSE 'ENTERED' END, '', now(), '1', '[]',
      '', '', ${time} - r * interval '1 minute', now() FROM ${of}`);
  await client.query(`INSERT INTO session.position (id, session_id, instance_id, strategy_id, strategy_name, symbol, state, quantity,
      entry_price, entry_time, stop_loss_price, take_profit_price, leverage, margin, exit_price, exit_reason, fee, pnl,
      open_command_id, close_command_id, close_intent_id, create_time, update_time)
    SELECT 'position-' || r, ${id}, 'i', 'x', 'n', 'S', CASE WHEN ${isOpen} THEN 'OPEN' ELSE 'CLOSED' END, '1', '1', now(), '', '',
      '', '', '', '', '', '', 'command-' || s || '-' || r, '', '', ${time} - r * interval '1 minute', now() FROM ${of}`);
  await client.query(`INSERT INTO session.command (account_id, request_id, session_id, executor_id, purpose, subject_id, wish, state,
      command_id, reason, message, cancel_wanted, create_time)
    SELECT ${account('s')}, 'request-' || s || '-' || r, ${id}, '${sampleSession.executorId}'::uuid, 'OPEN', '', '{}',
      CASE WHEN ${isOpen} THEN 'PENDING' ELSE 'SUCCEEDED' END, 'c', '', '', false, ${time} FROM ${of}`);
  await client.query(`INSERT INTO session.change (session_id, number, kind, subject_id)
    SELECT ${id}, r + 1, 'SESSION', '' FROM ${of}`);
  // Each session that ended was stopped by the kill switch.
  await client.query(`INSERT INTO session.halt (id, account_id, scope, target, close_positions, author, session_ids, create_time,
      complete_time, due_time)
    SELECT ${uuid('d000', 's')}, ${account('s')}, 'SESSION', '', true, 'anna', ARRAY[${id}], ${time}, ${time}, 'infinity'
    FROM generate_series(${OPEN_SESSIONS}, ${SESSIONS - 1}) s`);
  await client.query(`INSERT INTO session.halt_target (halt_id, executor_id, executor_name, request_id, attempt, flat)
    SELECT ${uuid('d000', 's')}, ${uuid('c000', 's % 50')}, 'vps', 'halt-' || s, 0, true
    FROM generate_series(${OPEN_SESSIONS}, ${SESSIONS - 1}) s`);
  await client.query(`INSERT INTO session.command (account_id, request_id, session_id, halt_id, executor_id, purpose, subject_id, wish,
      state, command_id, reason, message, cancel_wanted, create_time)
    SELECT ${account('s')}, 'halt-' || s, ${id}, ${uuid('d000', 's')}, ${uuid('c000', 's % 50')}, 'HALT', '', '{}', 'SUCCEEDED', 'c',
      '', '', false, ${time} FROM generate_series(${OPEN_SESSIONS}, ${SESSIONS - 1}) s`);
  await client.query(`UPDATE session.session SET halt_id = ${uuid('d000', `split_part(id::text, '-', 5)::integer`)}
    WHERE state = 'STOPPED'`);
  const tables = [
    'halt',
    'halt_target',
    'session',
    'work',
    'activation',
    'intent',
    'outcome',
    'signal',
    'position',
    'command',
    'change',
  ];
  await client.query(`VACUUM ANALYZE ${tables.map((table) => `session.${table}`).join(', ')}`);
}
