-- What is no longer asked for is removed by age. A watcher that rested longer is told so: removed_number says up to which change.
ALTER TABLE session.session ADD COLUMN removed_number bigint NOT NULL DEFAULT 0;

ALTER TABLE session.outcome ADD COLUMN create_time timestamptz NOT NULL DEFAULT now();
CREATE INDEX outcome_told_idx ON session.outcome (create_time) WHERE told;
CREATE INDEX intent_done_idx ON session.intent (create_time) WHERE done;
CREATE INDEX command_ended_idx ON session.command (create_time) WHERE state IN (
  'SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN', 'REFUSED', 'DROPPED');
