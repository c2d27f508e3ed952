-- Ids of the kill switches' commands whose answers the session has booked, in order: a JSON array of strings. Written with
-- what they closed, so that an answer that is looked at again, in whichever order, changes nothing.
ALTER TABLE session.session ADD COLUMN booked_command_ids jsonb NOT NULL DEFAULT '[]';

-- Until now a position that is held told it of the newest such command alone.
UPDATE session.session s SET booked_command_ids = p.ids
FROM (SELECT session_id, jsonb_agg(DISTINCT close_command_id) AS ids FROM session.position
  WHERE state IN ('OPEN', 'CLOSING', 'UNKNOWN') AND closed_quantity <> '' AND close_command_id <> ''
  GROUP BY session_id) p
WHERE s.id = p.session_id;
