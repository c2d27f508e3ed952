-- Steps without the names of their fields: {"s": [[from, to, at in ms, cause, attempt, epoch, reason, message], …]}, where what
-- is not there at the end of a step may be left out. Each is written three times, and with names it was two fifths of what a
-- lifecycle logs.
CREATE FUNCTION pg_temp.step_rows(steps json) RETURNS json LANGUAGE sql AS $$
  SELECT json_build_object('s', json_agg(json_build_array(
    s.step -> 'from', s.step -> 'to', s.step -> 'atMs', s.step -> 'cause', s.step -> 'attempt', s.step -> 'epoch',
    s.step -> 'reason', s.step -> 'message') ORDER BY s.place))
  FROM json_array_elements(steps) WITH ORDINALITY AS s(step, place)
$$;
UPDATE command.history SET steps = pg_temp.step_rows(steps);
UPDATE command.command SET timeline = ARRAY(
  SELECT pg_temp.step_rows(t.steps) FROM unnest(timeline) WITH ORDINALITY AS t(steps, place) ORDER BY t.place);
