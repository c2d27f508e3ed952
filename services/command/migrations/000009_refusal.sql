-- The latest refusal of each executor's agent: without it, an agent that is refused looks as if it were merely away. Beside
-- the executor's row, so that who is refused never writes what decides about streams.
CREATE TABLE command.refusal (
  executor_id uuid CONSTRAINT refusal_pkey PRIMARY KEY
    CONSTRAINT refusal_executor_fkey REFERENCES command.executor,
  refuse_time timestamptz NOT NULL,
  -- First of those for the same reason, with none for another and no accepted stream in between.
  since_time timestamptz NOT NULL,
  -- Name of an ErrorReason.
  reason text NOT NULL,
  message text NOT NULL,
  key_id text NOT NULL,
  -- The secret was right: it was the agent, or somebody who has its credential.
  proven boolean NOT NULL,
  link text NOT NULL CONSTRAINT refusal_link_check CHECK (link IN ('STREAM', 'POLL')),
  -- Of the Hello; NULL when the call was refused before one was read.
  agent_version text,
  contract_digest text,
  host text
) WITH (fillfactor = 70);
