-- Revisions that nobody runs are removed by age: one that is wanted again is asked for again.
ALTER TABLE evaluator.definition ADD COLUMN create_time timestamptz NOT NULL DEFAULT now();
CREATE INDEX definition_time_idx ON evaluator.definition (create_time);
CREATE INDEX outcome_time_idx ON evaluator.outcome (create_time);
