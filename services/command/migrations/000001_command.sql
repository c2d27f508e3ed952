-- Executors, their credentials, commands and the history of commands.
-- Times are the platform's. A numbered migration never changes once released; a new one follows it.

-- One row an account. Every write to the account's commands takes its next numbers here, under this row's lock and in the
-- same transaction, so numbers become visible in order: a reader that has seen N has seen everything up to N.
CREATE TABLE command.account (
  id text CONSTRAINT account_pkey PRIMARY KEY,
  event_number bigint NOT NULL DEFAULT 0,
  -- History up to this number has been removed by retention.
  removed_number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE TABLE command.executor (
  id uuid CONSTRAINT executor_pkey PRIMARY KEY,
  account_id text NOT NULL CONSTRAINT executor_account_fkey REFERENCES command.account,
  name text NOT NULL CONSTRAINT executor_name_check CHECK (name ~ '^[a-z0-9._-]{1,63}$'),
  labels jsonb NOT NULL DEFAULT '{}',
  create_time timestamptz NOT NULL DEFAULT now(),
  disable_time timestamptz,
  -- Fencing: rises with each accepted stream; writes under an older one change nothing.
  stream_epoch bigint NOT NULL DEFAULT 0,
  link text CONSTRAINT executor_link_check CHECK (link IN ('STREAM', 'POLL')),
  owner_replica text,
  connect_time timestamptz,
  -- NULL while connected.
  disconnect_time timestamptz,
  disconnect_reason text,
  journal_id text,
  host text,
  agent_version text,
  contract_digest text,
  kinds text[],
  in_flight_max integer,
  takeovers integer NOT NULL DEFAULT 0,
  takeover_time timestamptz,
  round_trip_ms real,
  -- Last change of what decides whether a stream may go on, for replicas that missed the doorbell.
  change_time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT executor_account_name_key UNIQUE (account_id, name)
) WITH (fillfactor = 70);
CREATE INDEX executor_change_idx ON command.executor (change_time);

CREATE TABLE command.credential (
  key_id text CONSTRAINT credential_pkey PRIMARY KEY,
  executor_id uuid NOT NULL CONSTRAINT credential_executor_fkey REFERENCES command.executor,
  -- SHA-256 of 32 random bytes: nothing to stretch, nothing to guess.
  secret_hash bytea NOT NULL CONSTRAINT credential_secret_hash_check CHECK (length(secret_hash) = 32),
  create_time timestamptz NOT NULL DEFAULT now(),
  expire_time timestamptz
);
CREATE INDEX credential_executor_idx ON command.credential (executor_id);

-- Replicas of this service. An executor is online when it is connected to a replica whose heartbeat is fresh.
CREATE TABLE command.replica (
  id text CONSTRAINT replica_pkey PRIMARY KEY,
  heartbeat_time timestamptz NOT NULL
);

CREATE TABLE command.command (
  -- Made in order of time: the key also lists an account's commands from the newest.
  id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  -- No foreign key: executors are never deleted, and checking one cost a sixth of every insert (3.3 of 20 ms for 500 rows).
  executor_id uuid NOT NULL,
  -- The account's number under which it was issued: issue order is commit order.
  sequence bigint NOT NULL,
  kind text NOT NULL,
  -- strategos.command.v1.CommandPayload.
  parameters bytea NOT NULL,
  lane smallint NOT NULL CONSTRAINT command_lane_check CHECK (lane BETWEEN 1 AND 3),
  -- Path of the ordering key; empty: none.
  ordering_key text NOT NULL DEFAULT '',
  request_id text,
  -- SHA-256 of what was asked; present with request_id.
  fingerprint bytea,
  retry_of uuid,
  -- strategos.command.v1.Preconditions.
  preconditions bytea,

  state text NOT NULL DEFAULT 'PENDING' CONSTRAINT command_state_check CHECK (state IN (
    'PENDING', 'SENT', 'RECEIVED', 'RUNNING',
    'SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN')),
  -- Rises with each change; writers compare and set it.
  version integer NOT NULL DEFAULT 1,
  attempt integer NOT NULL DEFAULT 0,
  attempts_max integer NOT NULL DEFAULT 3,
  -- Failures that may pass, so far; and writes without a receipt since the last one.
  failures integer NOT NULL DEFAULT 0,
  resends integer NOT NULL DEFAULT 0,
  -- Stream and journal of the latest write.
  stream_epoch bigint,
  journal_id text,

  create_time timestamptz NOT NULL DEFAULT now(),
  sent_time timestamptz,
  received_time timestamptz,
  start_time timestamptz,
  progress_time timestamptz,
  finish_time timestamptz,
  cancel_request_time timestamptz,
  settle_time timestamptz,
  retry_time timestamptz,

  deliver_by timestamptz NOT NULL,
  receive_within_ms bigint NOT NULL,
  start_within_ms bigint NOT NULL,
  progress_within_ms bigint,
  finish_within_ms bigint NOT NULL,
  finish_by timestamptz NOT NULL,
  not_after timestamptz,
  -- No state without a timer: finite in every state that is not terminal.
  due_time timestamptz NOT NULL,

  error_reason text,
  error_message text,
  error_hop text,
  error_retryable boolean,
  error_metadata jsonb,
  -- strategos.command.v1.CommandResult and CommandProgress.
  result bytea,
  progress bytea,
  note text,
  -- An OUTCOME_UNKNOWN that the agent has not answered for yet.
  unsettled boolean NOT NULL DEFAULT false,
  -- The command's own steps, as in command.history, without interim progress: one look explains it, and no index on the
  -- history is needed (it cost 13 us of processor time a lifecycle). One element a transaction, each an array of steps.
  timeline json[] NOT NULL DEFAULT '{}',

  CONSTRAINT command_pkey PRIMARY KEY (account_id, id),
  CONSTRAINT command_due_check CHECK (
    (due_time = 'infinity') =
    (state IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN'))),
  CONSTRAINT command_unsettled_check CHECK (NOT unsettled OR state = 'OUTCOME_UNKNOWN')
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- `state` stands in no index: a column that does turns every change of it into a full index update.
CREATE UNIQUE INDEX command_request_key ON command.command (account_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX command_open_idx ON command.command (executor_id, sequence) WHERE due_time < 'infinity';
CREATE INDEX command_due_idx ON command.command (due_time) WHERE due_time < 'infinity';
-- Statistics over a window of time. Rows lie in order of creation, so a few bytes a range of pages are enough.
CREATE INDEX command_create_idx ON command.command USING brin (create_time);
CREATE INDEX command_unsettled_idx ON command.command (executor_id) WHERE unsettled;

-- Append-only. One row holds the steps that one command took in one transaction.
CREATE TABLE command.history (
  account_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  command_id uuid NOT NULL,
  executor_id uuid NOT NULL,
  -- Array of {from, to, atMs, cause, reason?, message?, attempt, epoch?}. Written once and never searched: json is checked
  -- and kept as it came, where jsonb is taken apart and built anew (a sixth of a write).
  steps json NOT NULL,
  CONSTRAINT history_pkey PRIMARY KEY (account_id, number)
);

-- Rows that could not be read, as they were. The command itself ends FAILED.
CREATE TABLE command.quarantine (
  command_id uuid CONSTRAINT quarantine_pkey PRIMARY KEY,
  account_id text NOT NULL,
  executor_id uuid NOT NULL,
  defect text NOT NULL,
  row_json jsonb NOT NULL,
  quarantine_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quarantine_account_idx ON command.quarantine (account_id, quarantine_time DESC, command_id);
