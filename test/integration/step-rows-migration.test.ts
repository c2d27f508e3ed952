import { expect, test } from 'vitest';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { earlierSchema } from '../harness/earlier-schema.ts';

const ID = '0190f3c1-2f7a-7000-8000-000000000001';

const ISSUED = { from: null, to: 'PENDING', atMs: 1_700_000_000_000, cause: 'issued', attempt: 0 };
const SENT = { from: 'PENDING', to: 'SENT', atMs: 1_700_000_000_001, cause: 'sent', attempt: 1, epoch: 7 };
const ENDED = {
  ...SENT,
  from: 'SENT',
  to: 'FAILED',
  cause: 'finished',
  reason: 'VENUE_REJECTED',
  message: 'it says "no"',
};

test('history and timelines that were written with the names of their fields are read like those written since', async () => {
  await using earlierRelease = await earlierSchema('command', '000004');
  const { pool } = earlierRelease;
  await pool.query(`INSERT INTO command.account (id, event_number) VALUES ('main', 2)`);
  await pool.query(
    `INSERT INTO command.command (id, account_id, executor_id, sequence, kind, parameters, lane, state, deliver_by,
         receive_within_ms, start_within_ms, finish_within_ms, finish_by, due_time, timeline)
       VALUES ($1, 'main', $1, 1, 'ping', '', 1, 'FAILED', now(), 1, 1, 1, now(), 'infinity', $2::json[])`,
    [ID, [JSON.stringify([ISSUED, SENT]), JSON.stringify([ENDED])]],
  );
  await pool.query(
    `INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
       VALUES ('main', 1, $1, $1, $2), ('main', 2, $1, $1, $3)`,
    [ID, JSON.stringify([ISSUED, SENT]), JSON.stringify([ENDED])],
  );

  await earlierRelease.migrate();
  const reader = commandReader(pool);
  expect(await reader.timelineOf('main', ID)).toEqual([ISSUED, SENT, ENDED]);
  const { entries } = await reader.historyAfter('main', 0, { entriesMax: 10 });
  expect(entries.map(({ steps }) => steps)).toEqual([[ISSUED, SENT], [ENDED]]);
});
