import { expect, test } from 'vitest';
import { commandRetention } from '../../services/command/delivery/retention.ts';
import { transition } from '../../services/command/domain/transition.ts';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { change, readByIds, readChanged } from '../../services/command/store/command-store.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { earlierSchema } from '../harness/earlier-schema.ts';
import { sampleId } from '../harness/sample-commands.ts';

const ID = sampleId(1);
const [EXECUTOR, WRITER] = [sampleId(2), sampleId(3)];
const T0 = 1_700_000_000_000;

/** What the release before batches did, prepared as it does: its connections outlive the migration. */
const earlier = {
  write: {
    name: 'earlier_write',
    text: `WITH counter AS (UPDATE command.account SET event_number = event_number + 1 WHERE id = $1 RETURNING event_number),
      updated AS (UPDATE command.command c SET state = $3, version = c.version + 1, stream_epoch = 7, attempt = 1,
        sent_time = now(), timeline = c.timeline || ARRAY[$4::json]
        FROM counter WHERE c.account_id = $1 AND c.id = $2 RETURNING c.id, c.executor_id, counter.event_number AS number)
      INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
      SELECT $1, u.number, u.id, u.executor_id, $4::json FROM updated u`,
  },
  read: {
    name: 'earlier_read',
    text: `SELECT h.number::integer, h.command_id, h.executor_id, h.steps FROM command.history h
      WHERE h.account_id = $1 AND h.number > $2 ORDER BY h.number LIMIT 10`,
  },
  remove: {
    name: 'earlier_remove',
    text: `WITH removed AS (DELETE FROM command.history h WHERE h.account_id = $1 AND h.number <= $2 RETURNING h.number)
      SELECT array_agg(number::integer ORDER BY number) AS numbers FROM removed`,
  },
} as const;

const ISSUED = [null, 'PENDING', T0, 'issued', 0];
const SENT = ['PENDING', 'SENT', T0 + 1, 'sent', 1, 7];
const AGAIN = ['SENT', 'SENT', T0 + 2, 'sent again', 2, 7];

test('while releases with and without batches of history run side by side, each sees what the other writes', async () => {
  await using earlierRelease = await earlierSchema('command', '000010');
  const { pool } = earlierRelease;
  await pool.query(`INSERT INTO command.account (id, event_number) VALUES ('main', 1)`);
  await pool.query(
    `INSERT INTO command.command (id, account_id, executor_id, sequence, kind, parameters, lane, deliver_by,
         receive_within_ms, start_within_ms, finish_within_ms, finish_by, due_time, create_time, timeline)
       VALUES ($1, 'main', $2, 1, 'ping', '', 1, now(), 1, 1, 1, now(), now(), to_timestamp($3::bigint / 1000.0), ARRAY[$4::json])`,
    [ID, EXECUTOR, T0, JSON.stringify({ s: [ISSUED] })],
  );
  await pool.query(
    `INSERT INTO command.history (account_id, number, command_id, executor_id, steps) VALUES ('main', 1, $1, $2, $3)`,
    [ID, EXECUTOR, JSON.stringify({ s: [ISSUED] })],
  );
  const write = async (state: string, step: unknown[]): Promise<void> => {
    await pool.query({ ...earlier.write, values: ['main', ID, state, JSON.stringify({ s: [step] })] });
  };
  const read = async () => {
    const { rows } = await pool.query<{ number: number }>({ ...earlier.read, values: ['main', 0] });
    return rows.map(({ number }) => number);
  };
  await write('SENT', SENT);
  expect(await read()).toEqual([1, 2]);

  await earlierRelease.migrate();
  expect(await read()).toEqual([1, 2]);
  await write('SENT', AGAIN);
  const [stored] = (await readByIds(pool, 'main', [ID])).commands;
  const received = stored === undefined ? null : transition(stored, { type: 'received', atMs: T0 + 3 }, T0 + 3);
  const ended = received === null ? null : transition(received.command, { type: 'journal_lost' }, T0 + 4);
  if (stored === undefined || received === null || ended === null) throw new Error('the command is not as written');
  const row = {
    command: ended.command,
    before: stored,
    steps: [received.step, ended.step],
    fenceEpoch: 0,
  };
  const { ids } = await change(pool, { accountId: 'main', writer: WRITER }, [row]);
  expect([...ids]).toEqual([ID]);

  const { rows } = await pool.query<{ steps: { s: unknown[][] } }>({ ...earlier.read, values: ['main', 3] });
  expect(rows).toMatchObject([{ number: 4, command_id: ID, executor_id: EXECUTOR }]);
  expect(rows[0]?.steps.s.map(([from, to]) => [from, to])).toEqual([
    ['SENT', 'RECEIVED'],
    ['RECEIVED', 'OUTCOME_UNKNOWN'],
  ]);
  const reader = commandReader(pool);
  const causes = ['issued', 'sent', 'sent again', 'received', 'journal lost'];
  expect((await reader.timelineOf('main', ID)).map(({ cause }) => cause)).toEqual(causes);
  for (const entriesMax of [1, 2, 10]) {
    const seen: string[] = [];
    for (let after = 0; after < 4; ) {
      const page = await reader.historyAfter('main', after, { entriesMax });
      seen.push(...page.entries.flatMap(({ steps }) => steps.map(({ cause }) => cause)));
      after = page.throughNumber;
    }
    expect({ entriesMax, seen }).toEqual({ entriesMax, seen: causes });
  }
  for (const after of [1, 3]) {
    const { commands } = await readChanged(pool, 'main', after, after + 1, [EXECUTOR]);
    expect(commands.map(({ id, state }) => [id, state])).toEqual([[ID, 'OUTCOME_UNKNOWN']]);
  }
  // Its retention takes what it wrote; a batch goes with the release that knows it.
  const { rows: removed } = await pool.query({ ...earlier.remove, values: ['main', 4] });
  expect(removed).toEqual([{ numbers: [1, 2, 3] }]);
  expect(await read()).toEqual([4]);
  await pool.query(
    `INSERT INTO command.history (account_id, number, command_id, executor_id, steps) VALUES ('main', 5, $1, $2, $3)`,
    [ID, EXECUTOR, JSON.stringify({ s: [AGAIN] })],
  );
  expect(await read()).toEqual([4, 5]);
  // As a day later, with nothing to be kept.
  await commandRetention(pool, createLogger('test', 'silent'), -1).removeOld();
  expect(await read()).toEqual([]);
  const { rows: accounts } = await pool.query('SELECT removed_number::integer AS removed FROM command.account');
  expect(accounts).toEqual([{ removed: 5 }]);
});
