import { cp, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { commandReader } from '../../services/command/store/command-reader.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { migrate } from '../../services/platform/postgres/migrate.ts';
import { createPool } from '../../services/platform/postgres/pool.ts';
import { theServers } from '../harness/current-run.ts';
import { createDatabase } from '../harness/database.ts';

const MIGRATIONS = fileURLToPath(new URL('../../services/command/migrations', import.meta.url));
const BEFORE = ['000001_command.sql', '000002_venue_event.sql', '000003_clock_offset.sql'];
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
  await using database = await createDatabase();
  const logger = createLogger('test', 'silent');
  const pool = createPool({ databaseUrl: database.url, applicationName: 'test', connectionsMax: 1, logger });
  try {
    await pool.query('DROP SCHEMA command CASCADE');
    const directory = await mkdtemp(join((await theServers()).directory, 'release-'));
    for (const file of BEFORE) await cp(join(MIGRATIONS, file), join(directory, file));
    await migrate({ databaseUrl: database.url, schema: 'command', directory, logger });
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

    await migrate({ databaseUrl: database.url, schema: 'command', directory: MIGRATIONS, logger });
    const reader = commandReader(pool);
    expect(await reader.timelineOf('main', ID)).toEqual([ISSUED, SENT, ENDED]);
    const { entries } = await reader.historyAfter('main', 0, { entriesMax: 10 });
    expect(entries.map(({ steps }) => steps)).toEqual([[ISSUED, SENT], [ENDED]]);
  } finally {
    await pool.end();
  }
});
