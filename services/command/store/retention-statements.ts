import type { Statement } from './types.ts';

/** All accounts. */
export const listAccounts: Statement = { name: 'list_accounts', text: 'SELECT id FROM command.account ORDER BY id' };

/** $1 days to keep. From when on, in ms, by the database's clock: a replica whose own is set forward removes nothing early. */
export const oldestKept: Statement = {
  name: 'oldest_kept',
  text: `SELECT (extract(epoch FROM now() - $1::integer * interval '1 day') * 1000)::bigint AS ms`,
};

/** That many are in one row, or in thousands of rows: what is to be removed at once is bounded by them as well. */
const ENTRIES_PER_STATEMENT_MAX = 20_000;

/** Removes history from its beginning and notes up to which number; `atMs` says when a row was written. */
function removal(table: string, atMs: string, firstNumber: string): string {
  return `WITH oldest AS MATERIALIZED (
  SELECT number, at_ms FROM (
    SELECT number, ${atMs} AS at_ms, sum(number - ${firstNumber} + 1) OVER (ORDER BY number) AS entries FROM (
      SELECT * FROM command.${table} WHERE account_id = $1 ORDER BY number LIMIT $3::integer) h) h
  WHERE entries <= ${ENTRIES_PER_STATEMENT_MAX}
), expired AS MATERIALIZED (
  -- Numbers follow time only nearly: what lies behind the first young row waits for the next round.
  SELECT number FROM oldest
  WHERE number < coalesce((SELECT min(number) FROM oldest WHERE at_ms >= $2::double precision), 'infinity'::float8)
), removed AS (
  DELETE FROM command.${table} h USING expired WHERE h.account_id = $1 AND h.number = expired.number RETURNING h.number
), noted AS (
  UPDATE command.account SET removed_number = greatest(removed_number, (SELECT max(number) FROM expired))
  WHERE id = $1 AND EXISTS (SELECT FROM expired)
)
SELECT count(*)::integer AS removed FROM removed`;
}

/**
 * $1 account, $2 oldest time to keep in ms, $3 how many rows. Removes history from its beginning and notes up to which number,
 * in one transaction: a watcher behind it is told that it missed something, never shown a gap. Gives how many were removed.
 */
export const removeHistory: Statement = {
  name: 'remove_history',
  text: removal('history_batch', 'extract(epoch FROM write_time)::double precision * 1000', 'first_number'),
};

/** The same of what an earlier release wrote, entry by entry. To come first: it is older. */
export const removeHistoryEntries: Statement = {
  name: 'remove_history_entries',
  text: removal('history_entry', "(steps -> 's' -> 0 ->> 2)::double precision", 'number'),
};

/**
 * $1 account, $2 id below which, $3 how many. Removes commands that ended and were issued before the time of that id, with
 * their quarantined rows. One that is still open, or whose outcome may yet be settled, stays. Gives how many were removed.
 */
export const removeCommands: Statement = {
  name: 'remove_commands',
  text: `WITH expired AS MATERIALIZED (
  SELECT account_id, id FROM command.command
  WHERE account_id = $1 AND id < $2::uuid AND due_time = 'infinity' AND NOT unsettled ORDER BY id LIMIT $3::integer
), quarantined AS (
  DELETE FROM command.quarantine q USING expired WHERE q.command_id = expired.id
), removed AS (
  DELETE FROM command.command c USING expired WHERE c.account_id = expired.account_id AND c.id = expired.id RETURNING c.id
)
SELECT count(*)::integer AS removed FROM removed`,
};
