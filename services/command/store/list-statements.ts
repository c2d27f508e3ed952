import type { Statement } from './types.ts';

const FILTERS = `($2::uuid IS NULL OR c.executor_id = $2::uuid) AND c.id < $3::uuid
  AND ($4::text[] IS NULL OR c.state = ANY($4::text[])) AND ($5::text[] IS NULL OR c.kind = ANY($5::text[]))`;

/** $1 account, $2 id below which, $3 how many. All commands, newest first. */
export const listCommands: Statement = {
  name: 'list_commands',
  text: `SELECT * FROM command.command WHERE account_id = $1 AND id < $2::uuid
ORDER BY id DESC LIMIT $3::integer`,
};

/**
 * $1 account, $2 executor or NULL, $3 id below which, $4 states or NULL, $5 kinds or NULL, $6 how many, $7 how many rows
 * to look through. Newest first; `floor_id` is the last one looked at, NULL when it came to the oldest command. One row
 * without an id when nothing matched.
 */
export const searchCommands: Statement = {
  name: 'search_commands',
  text: `SELECT c.*, floor.id AS floor_id
FROM (SELECT (
  SELECT id FROM command.command WHERE account_id = $1 AND id < $3::uuid
  ORDER BY id DESC OFFSET $7::integer LIMIT 1) AS id) floor
LEFT JOIN LATERAL (
  SELECT * FROM command.command c
  WHERE c.account_id = $1 AND c.id >= coalesce(floor.id, '00000000-0000-0000-0000-000000000000') AND ${FILTERS}
  ORDER BY c.id DESC LIMIT $6::integer) c ON true
ORDER BY c.id DESC`,
};

/**
 * $1 to $6 as in `search_commands`, for states that are not terminal: executor by executor, through the index that holds
 * open commands alone.
 */
export const listOpenCommands: Statement = {
  name: 'list_open_commands',
  text: `SELECT c.* FROM command.executor e CROSS JOIN LATERAL (
  SELECT c.* FROM command.command c
  WHERE c.executor_id = e.id AND c.due_time < 'infinity' AND ${FILTERS}
  ORDER BY c.id DESC LIMIT $6::integer) c
WHERE e.account_id = $1 AND ($2::uuid IS NULL OR e.id = $2::uuid)
ORDER BY c.id DESC LIMIT $6::integer`,
};

/** $1 executor, $2 sequence below which, $3 sequence after which to go on, $4 how many. Open commands with a key, oldest first. */
export const readEarlierKeys: Statement = {
  name: 'read_earlier_keys',
  text: `SELECT id, kind, state, ordering_key, sequence FROM command.command
WHERE executor_id = $1::uuid AND due_time < 'infinity' AND sequence > $3::bigint AND sequence < $2::bigint AND ordering_key <> ''
ORDER BY sequence LIMIT $4::integer`,
};

/** $1 account, $2 executor or NULL, $3 time and $4 command of the last row seen, or NULL, $5 how many. Newest first. */
export const listQuarantined: Statement = {
  name: 'list_quarantined',
  text: `SELECT command_id, executor_id, defect, row_json::text AS row_json, quarantine_time, quarantine_time::text AS position_time
FROM command.quarantine
WHERE account_id = $1 AND ($2::uuid IS NULL OR executor_id = $2::uuid)
  AND ($3::text IS NULL OR quarantine_time < $3::text::timestamptz
    OR (quarantine_time = $3::text::timestamptz AND command_id > $4::uuid))
ORDER BY quarantine_time DESC, command_id LIMIT $5::integer`,
};
