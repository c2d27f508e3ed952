import { earlierEntriesBetween, entriesBetween } from './history-statements.ts';
import type { Statement } from './types.ts';

/** $1 account, $2 ids. */
export const readCommandsById: Statement = {
  name: 'read_commands_by_id',
  text: 'SELECT * FROM command.command WHERE account_id = $1 AND id = ANY($2::uuid[])',
};

/** $1 account, $2 id. */
export const getCommand: Statement = {
  name: 'get_command',
  text: 'SELECT * FROM command.command WHERE account_id = $1 AND id = $2::uuid',
};

/** $1 account, $2 request ids. */
export const readCommandsByRequest: Statement = {
  name: 'read_commands_by_request',
  text: 'SELECT * FROM command.command WHERE account_id = $1 AND request_id = ANY($2::text[])',
};

/**
 * $1 executor ids, $2 sequence after which to go on, $3 how many, and more when several accounts have the last sequence. The
 * open commands in order of their sequences.
 */
export const readOpenCommands: Statement = {
  name: 'read_open_commands',
  text: `SELECT c.* FROM command.command c
WHERE c.executor_id = ANY($1::uuid[]) AND c.due_time < 'infinity' AND c.sequence > $2::bigint
ORDER BY c.sequence FETCH FIRST ($3::integer) ROWS WITH TIES`,
};

/** $1 executor ids, $2 how many for each. Unknown outcomes that the agent may still settle, newest first. */
export const readUnsettledCommands: Statement = {
  name: 'read_unsettled_commands',
  text: `SELECT c.* FROM unnest($1::uuid[]) AS e(id) CROSS JOIN LATERAL (
  SELECT * FROM command.command WHERE executor_id = e.id AND unsettled ORDER BY sequence DESC LIMIT $2::integer) c`,
};

/** $1 accounts. The newest number of each. */
export const readEventNumbers: Statement = {
  name: 'read_event_numbers',
  text: 'SELECT id, event_number, removed_number FROM command.account WHERE id = ANY($1::text[])',
};

/** $1 account, $2 number after which, $3 number up to which, $4 executor ids. Commands of these executors that changed in between. */
export const readChangedCommands: Statement = {
  name: 'read_changed_commands',
  text: `WITH changed AS MATERIALIZED (
  ${entriesBetween('$1', '$2::bigint', '$3::bigint')} AND e.executor_id = ANY($4::uuid[])
  UNION ALL
  ${earlierEntriesBetween('$1', '$2::bigint', '$3::bigint')} AND e.executor_id = ANY($4::uuid[])
)
SELECT c.* FROM (SELECT DISTINCT account_id, command_id FROM changed) changed
JOIN command.command c ON c.account_id = changed.account_id AND c.id = changed.command_id
ORDER BY c.sequence`,
};

/**
 * $1 how many. Commands whose time has come, with whether somebody holds a live stream of their executor. The agent's own
 * replica looks first; a replica counts as alive for 5 s after its last heartbeat. The due time is bounded twice because only
 * the constant proves to the planner that the partial index holds every such row.
 */
export const readOverdueCommands: Statement = {
  name: 'read_overdue_commands',
  text: `SELECT c.*, (e.disconnect_time IS NULL AND r.heartbeat_time > now() - interval '5 seconds') IS TRUE AS link_alive
FROM (
  SELECT * FROM command.command WHERE due_time <= now() AND due_time < 'infinity' ORDER BY due_time LIMIT $1::integer) c
LEFT JOIN command.executor e ON e.id = c.executor_id
LEFT JOIN command.replica r ON r.id = e.owner_replica`,
};

/** $1 account, $2 executors that get a stop, $3 kinds, $4 states. What an incoming stop may make pointless; locked. */
export const lockSupersedable: Statement = {
  name: 'lock_supersedable',
  text: `SELECT * FROM command.command
WHERE executor_id = ANY($2::uuid[]) AND account_id = $1 AND due_time < 'infinity' AND kind = ANY($3::text[])
ORDER BY sequence FOR UPDATE`,
};

/** $1 executor ids. Open commands of each: all, and those that are with the agent. */
export const countOpenCommands: Statement = {
  name: 'count_open_commands',
  text: `SELECT executor_id, count(*)::integer AS open, count(*) FILTER (WHERE state <> 'PENDING')::integer AS in_flight
FROM command.command WHERE executor_id = ANY($1::uuid[]) AND due_time < 'infinity' GROUP BY executor_id`,
};

/** $1 account, $2 command ids, $3 defects. Keeps the rows as they are. */
export const quarantineRows: Statement = {
  name: 'quarantine_rows',
  text: `INSERT INTO command.quarantine (command_id, account_id, executor_id, defect, row_json)
SELECT c.id, c.account_id, c.executor_id, q.defect, to_jsonb(c)
FROM unnest($2::uuid[], $3::text[]) AS q(id, defect) JOIN command.command c ON c.account_id = $1 AND c.id = q.id
ON CONFLICT (command_id) DO NOTHING`,
};

/** $1 account, $2 command ids, $3 messages. Ends quarantined commands as FAILED whatever else their rows say. */
export const failQuarantined: Statement = {
  name: 'fail_quarantined',
  text: `WITH counter AS (
  UPDATE command.account SET event_number = event_number + cardinality($2::uuid[]) WHERE id = $1::text
  RETURNING event_number - cardinality($2::uuid[]) AS base
), failed AS (
  UPDATE command.command c SET state = 'FAILED', version = c.version + 1, due_time = 'infinity', finish_time = now(),
    error_reason = 'QUARANTINED', error_message = q.message, error_hop = 'platform', error_retryable = false,
    error_metadata = '{}', unsettled = false, change_numbers = c.change_numbers || (counter.base + q.place)
  FROM (
    SELECT u.id, u.message, u.place, json_build_object('s', json_build_array(json_build_array(
      NULL, 'FAILED', (extract(epoch FROM now()) * 1000)::bigint, 'quarantined', 0, NULL, 'QUARANTINED', u.message)))::text AS steps
    FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS u(id, message, place)
  ) q, counter
  WHERE c.account_id = $1 AND c.id = q.id AND c.due_time < 'infinity'
  RETURNING c.id, c.executor_id, q.steps, counter.base + q.place AS number
)
INSERT INTO command.history_batch (account_id, number, first_number, numbers, command_ids, executor_ids, steps)
SELECT $1, max(number), min(number), array_agg(number ORDER BY number), array_agg(id ORDER BY number),
  array_agg(executor_id ORDER BY number), array_agg(steps ORDER BY number)
FROM failed HAVING count(*) > 0`,
};
