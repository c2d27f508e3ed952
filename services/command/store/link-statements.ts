import type { Statement } from './types.ts';

/**
 * $1 replica, then arrays: $2 executor ids, $3 link kinds, $4 journal ids, $5 hosts, $6 agent versions, $7 digests,
 * $8 kinds (comma-separated), $9 in-flight limits, $10 clock offsets in ms or NULL. Gives each accepted executor its new epoch; a disabled one is left out.
 * A takeover is counted when another journal, or the same on another machine, pushes out a stream that was alive: two
 * machines with one credential, of which one may have a copy of the other's journal.
 */
export const acceptStreams: Statement = {
  name: 'accept_streams',
  text: `UPDATE command.executor e SET
  stream_epoch = e.stream_epoch + 1, link = u.link, owner_replica = $1, connect_time = now(), change_time = now(),
  disconnect_time = NULL, disconnect_reason = NULL, journal_id = u.journal_id, host = u.host, agent_version = u.agent_version,
  contract_digest = u.contract_digest, kinds = string_to_array(u.kinds, ','), in_flight_max = u.in_flight_max,
  clock_offset_ms = u.clock_offset_ms, takeovers = e.takeovers + CASE WHEN u.taken_over THEN 1 ELSE 0 END,
  takeover_time = CASE WHEN u.taken_over THEN now() ELSE e.takeover_time END
FROM (
  SELECT u.*, o.connect_time IS NOT NULL AND o.disconnect_time IS NULL
    AND (o.journal_id IS DISTINCT FROM u.journal_id OR o.host IS DISTINCT FROM u.host)
    AND r.heartbeat_time > now() - interval '5 seconds' AS taken_over
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
      $10::bigint[])
    AS u(id, link, journal_id, host, agent_version, contract_digest, kinds, in_flight_max, clock_offset_ms)
  JOIN command.executor o ON o.id = u.id LEFT JOIN command.replica r ON r.id = o.owner_replica
) u
WHERE e.id = u.id AND e.disable_time IS NULL
RETURNING e.id, e.stream_epoch, u.taken_over`,
};

/** Arrays: $1 executor ids, $2 epochs, $3 reasons. Only the stream that is still the newest can end the connection. */
export const closeStreams: Statement = {
  name: 'close_streams',
  text: `UPDATE command.executor e SET disconnect_time = now(), disconnect_reason = u.reason, change_time = now()
FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS u(id, epoch, reason)
WHERE e.id = u.id AND e.stream_epoch = u.epoch AND e.disconnect_time IS NULL`,
};

/** $1 executor ids. What decides whether a stream may go on. */
export const readStreamFacts: Statement = {
  name: 'read_stream_facts',
  text: `SELECT id, stream_epoch, disable_time, journal_id, host, change_time::text AS change FROM command.executor
WHERE id = ANY($1::uuid[])`,
};

/** $1 seconds. Executors that changed lately: looked at regularly, because a doorbell may be lost. */
export const readRecentlyChanged: Statement = {
  name: 'read_recently_changed',
  text: `SELECT id, stream_epoch, disable_time, journal_id, host, change_time::text AS change FROM command.executor
WHERE change_time > now() - make_interval(secs => $1::double precision)`,
};

/** $1 key ids. When each credential ends. */
export const readCredentialEnds: Statement = {
  name: 'read_credential_ends',
  text: 'SELECT key_id, expire_time FROM command.credential WHERE key_id = ANY($1::text[])',
};

/** $1 executor ids, $2 limits, $3 round trips in ms or NULL. */
export const noteStreams: Statement = {
  name: 'note_streams',
  text: `UPDATE command.executor e SET in_flight_max = u.in_flight_max, round_trip_ms = coalesce(u.round_trip_ms, e.round_trip_ms)
FROM unnest($1::uuid[], $2::integer[], $3::real[]) AS u(id, in_flight_max, round_trip_ms) WHERE e.id = u.id`,
};

/** $1 replica. Also forgets replicas that have been gone for a day. */
export const beat: Statement = {
  name: 'replica_beat',
  text: `WITH gone AS (DELETE FROM command.replica WHERE heartbeat_time < now() - interval '1 day' AND id <> $1)
INSERT INTO command.replica (id, heartbeat_time) VALUES ($1, now())
ON CONFLICT (id) DO UPDATE SET heartbeat_time = now()`,
};

/** $1 replica. A replica that stops is gone at once. */
export const leave: Statement = {
  name: 'replica_leave',
  text: 'DELETE FROM command.replica WHERE id = $1',
};
