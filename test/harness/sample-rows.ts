import type { Client } from 'pg';

export const SAMPLE_COMMANDS = 100_000;
const ACCOUNTS = 20;
const EXECUTORS = 2_000;
/** One command in so many is open, one in so many has an outcome that may still be settled. */
const OPEN_ONE_IN = 50;
const UNSETTLED_ONE_IN = 1_000;
const ENTRIES_PER_BATCH = 4;
const STEPS = `json_build_object('s', json_build_array(json_build_array(null, 'PENDING', 1700000000000 + n, 'issued', 0)))`;
/** Executor of command `n`: every executor has open commands and ended ones. */
const EXECUTOR = `(n + n / ${OPEN_ONE_IN}) % ${EXECUTORS}`;

/** Numbers of the rows below, so that a test can name them. */
export const sampleRow = {
  accountId: (account: number): string => `account-${account % ACCOUNTS}`,
  executorId: (executor: number): string => `00000000-0000-4000-8000-${String(executor).padStart(12, '0')}`,
  commandId: (command: number): string => `01900000-0000-7000-8000-${command.toString(16).padStart(12, '0')}`,
} as const;

/** Fills a migrated database with accounts, executors, commands in all states, their history and quarantine; analysed. */
export async function insertSampleRows(client: Client): Promise<void> {
  await client.query(`INSERT INTO command.account (id, event_number)
    SELECT 'account-' || a, ${SAMPLE_COMMANDS * 2} FROM generate_series(0, ${ACCOUNTS - 1}) a`);
  await client.query(`INSERT INTO command.replica (id, heartbeat_time) VALUES ('command-0', now())`);
  await client.query(`INSERT INTO command.executor
      (id, account_id, name, stream_epoch, link, owner_replica, connect_time, change_time, kinds, in_flight_max, journal_id)
    SELECT ('00000000-0000-4000-8000-' || lpad(e::text, 12, '0'))::uuid, 'account-' || e % ${ACCOUNTS}, 'vps-' || e,
      3, 'STREAM', 'command-0', now(), now() - e * interval '1 minute', '{ping,open_position}', 100, 'j' || e
    FROM generate_series(0, ${EXECUTORS - 1}) e`);
  await client.query(`INSERT INTO command.credential (key_id, executor_id, secret_hash)
    SELECT 'k' || e, ('00000000-0000-4000-8000-' || lpad(e::text, 12, '0'))::uuid, sha256('s')
    FROM generate_series(0, ${EXECUTORS - 1}) e`);
  await client.query(`INSERT INTO command.command
      (id, account_id, executor_id, sequence, kind, parameters, lane, ordering_key, request_id, fingerprint, state, unsettled,
       attempt, version, stream_epoch, journal_id, create_time, received_time, finish_time,
       deliver_by, receive_within_ms, start_within_ms, finish_within_ms, finish_by, due_time)
    SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'account-' || ${EXECUTOR} % ${ACCOUNTS},
      ('00000000-0000-4000-8000-' || lpad((${EXECUTOR})::text, 12, '0'))::uuid, n,
      (ARRAY['open_position', 'close_position', 'ping'])[1 + n % 3], '\\x0a02', 1, '/s1/a/' || n % 7, 'r' || n, sha256('f'),
      CASE WHEN n % ${OPEN_ONE_IN} = 0 THEN (ARRAY['PENDING', 'SENT', 'RECEIVED', 'RUNNING'])[1 + n / ${OPEN_ONE_IN} % 4]
        WHEN n % ${UNSETTLED_ONE_IN} = 1 THEN 'OUTCOME_UNKNOWN' ELSE 'SUCCEEDED' END, n % ${UNSETTLED_ONE_IN} = 1,
      1, 4, 3, 'j' || ${EXECUTOR}, t, t, CASE WHEN n % ${OPEN_ONE_IN} <> 0 THEN t END,
      t + interval '1 hour', 5000, 30000, 60000, t + interval '2 hours',
      CASE WHEN n % ${OPEN_ONE_IN} = 0 THEN t + interval '2 hours' ELSE 'infinity' END
    FROM (SELECT n, now() - interval '1 hour' + n * interval '30 milliseconds' AS t
          FROM generate_series(1, ${SAMPLE_COMMANDS}) n) rows`);
  // The older half as an earlier release wrote it, entry by entry.
  await client.query(`INSERT INTO command.history (account_id, number, command_id, executor_id, steps)
    SELECT 'account-' || ${EXECUTOR} % ${ACCOUNTS}, n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
      ('00000000-0000-4000-8000-' || lpad((${EXECUTOR})::text, 12, '0'))::uuid, ${STEPS}
    FROM generate_series(1, ${SAMPLE_COMMANDS / 2}) n`);
  await client.query(`INSERT INTO command.history_batch (account_id, number, first_number, numbers, command_ids, executor_ids, steps)
    SELECT account, max(n), min(n), array_agg(n ORDER BY n), array_agg(command ORDER BY n), array_agg(executor ORDER BY n),
      array_agg(steps ORDER BY n)
    FROM (
      SELECT n, 'account-' || ${EXECUTOR} % ${ACCOUNTS} AS account,
        ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS command,
        ('00000000-0000-4000-8000-' || lpad((${EXECUTOR})::text, 12, '0'))::uuid AS executor, (${STEPS})::text AS steps
      FROM generate_series(${SAMPLE_COMMANDS / 2 + 1}, ${SAMPLE_COMMANDS}) n) entries
    GROUP BY account, n / ${ENTRIES_PER_BATCH * ACCOUNTS}`);
  await client.query(`INSERT INTO command.quarantine (command_id, account_id, executor_id, defect, row_json)
    SELECT id, account_id, executor_id, 'kind: junk', '{}' FROM command.command WHERE sequence % 20 = 3`);
  await client.query(
    `INSERT INTO gateway.account (id) SELECT 'account-' || a FROM generate_series(0, ${ACCOUNTS - 1}) a`,
  );
  await client.query(`INSERT INTO gateway.token (id, account_id, name, role, secret_hash)
    SELECT md5(t::text), 'account-' || t % ${ACCOUNTS}, 'token-' || t, 'operator', sha256('s') FROM generate_series(1, 5000) t`);
  await client.query('VACUUM ANALYZE');
}
