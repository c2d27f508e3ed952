import type { Statement } from './types.ts';

const TERMINAL_TRIED = `('SUCCEEDED', 'FAILED', 'REJECTED', 'EXPIRED', 'OUTCOME_UNKNOWN')`;

/** Milliseconds between two columns as percentiles; commands without the second are left out by the aggregate itself. */
function percentiles(to: string): string {
  return `percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM ${to} - create_time) * 1000)`;
}

const TIMINGS = `count(*) AS count,
  count(*) FILTER (WHERE state = 'SUCCEEDED') AS succeeded, count(*) FILTER (WHERE state IN ${TERMINAL_TRIED}) AS tried,
  count(received_time) AS received, ${percentiles('received_time')} AS received_ms,
  count(finish_time) AS finished, ${percentiles('finish_time')} AS finished_ms`;

const WINDOW = `account_id = $1 AND create_time >= to_timestamp($3::double precision / 1000)
  AND ($2::uuid IS NULL OR executor_id = $2::uuid)`;

/** $1 account, $2 executor or NULL, $3 start of the window in ms. A row a state, then a row a kind. */
export const countStatesAndKinds: Statement = {
  name: 'count_states_and_kinds',
  text: `SELECT state, kind, count(*) AS count FROM command.command WHERE ${WINDOW}
GROUP BY GROUPING SETS ((state), (kind)) ORDER BY count(*) DESC, kind`,
};

/** $1 account, $2 executor or NULL, $3 start of the window in ms. One row. */
export const readTimings: Statement = {
  name: 'read_timings',
  text: `SELECT ${TIMINGS} FROM command.command WHERE ${WINDOW}`,
};

/** As `read_timings`, a row a span; $4 end of the window in ms, $5 how many spans. Later ones count to the last span. */
export const readBucketTimings: Statement = {
  name: 'read_bucket_timings',
  text: `SELECT LEAST($5::integer, width_bucket(extract(epoch FROM create_time)::double precision * 1000,
    $3::double precision, $4::double precision, $5::integer)) - 1 AS bucket, ${TIMINGS}
FROM command.command WHERE ${WINDOW} GROUP BY bucket ORDER BY bucket`,
};

/** As `read_timings`, a row an executor; $4 how many, those with the most commands. */
export const readExecutorTimings: Statement = {
  name: 'read_executor_timings',
  text: `SELECT executor_id, ${TIMINGS} FROM command.command WHERE ${WINDOW}
GROUP BY executor_id ORDER BY count(*) DESC, executor_id LIMIT $4::integer`,
};
