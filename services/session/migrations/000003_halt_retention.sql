-- Kill switches that nobody waits for any more are removed by age; what they are looked for by.
CREATE INDEX halt_complete_idx ON session.halt (complete_time) WHERE complete_time IS NOT NULL;
CREATE INDEX halt_target_executor_idx ON session.halt_target (executor_id, halt_id);
CREATE INDEX session_halt_idx ON session.session (halt_id) WHERE halt_id IS NOT NULL;

-- Activations are removed together with the last changes of their session: those of sessions whose changes have gone before are
-- looked at once more.
INSERT INTO session.work (session_id, due_time)
SELECT s.id, 'infinity' FROM session.session s
WHERE s.stop_time IS NOT NULL AND NOT EXISTS (SELECT FROM session.work w WHERE w.session_id = s.id);
