import { expect, test } from 'vitest';
import { earlierSchema } from '../harness/earlier-schema.ts';

const IDS = ['0190f3c1-2f7a-7000-8000-000000000001', '0190f3c1-2f7a-7000-8000-000000000002'];

test('what a kill switch had closed in part before the sessions noted its answers is noted by the migration', async () => {
  await using earlierRelease = await earlierSchema('session', '000007');
  const { pool } = earlierRelease;
  await pool.query(
    `INSERT INTO session.session (id, account_id, author, mode, state, reason, executor_id, executor_name, pin_policy,
         disconnect_policy, disconnect_after_ms, initial_balance, realised_pnl, equity, peak_equity, max_drawdown_pct, balance,
         dataset, progress_percent, close_positions, stop_attempt, version, create_time)
       SELECT id, 'main', '', 'PAPER', 'STOPPING', '', id, 'vps-1', 'PINNED', 'HOLD', 0, '', '0', '', '', '0', '', '', 0, true,
         1, 1, now() FROM unnest($1::uuid[]) AS id`,
    [IDS],
  );
  await pool.query(
    `INSERT INTO session.position (id, session_id, instance_id, strategy_id, strategy_name, symbol, state, quantity,
         closed_quantity, entry_price, entry_time, stop_loss_price, take_profit_price, leverage, margin, exit_price, exit_reason,
         fee, pnl, open_command_id, close_command_id, close_intent_id, create_time, update_time)
       SELECT p.id, $1::uuid, '', '', '', 'BTC_USDT', p.state, '1', p.closed, '100', now(), '', '', '', '', '', '', '', '', '',
         p.command, '', now(), now()
       FROM (VALUES ('p1', 'OPEN', '1', 'c1'), ('p2', 'OPEN', '1', 'c1'), ('p3', 'CLOSED', '1', 'c0'), ('p4', 'OPEN', '', ''))
         AS p(id, state, closed, command)`,
    [IDS[0]],
  );
  await earlierRelease.migrate();
  const { rows } = await pool.query('SELECT id, booked_command_ids AS booked FROM session.session ORDER BY id');
  expect(rows).toEqual([
    { id: IDS[0], booked: ['c1'] },
    { id: IDS[1], booked: [] },
  ]);
});
