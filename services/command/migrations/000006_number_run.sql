-- Who took the account's latest numbers: `run_writer` took all from `run_from` (not included) to `run_to`. A writer to whom all
-- belong that it has not seen yet needs no look at them. A release that knows nothing of runs leaves `run_to` behind, which
-- ends the run.
ALTER TABLE command.account
  ADD COLUMN run_writer uuid,
  ADD COLUMN run_from bigint NOT NULL DEFAULT 0,
  ADD COLUMN run_to bigint NOT NULL DEFAULT 0;
