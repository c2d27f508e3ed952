-- Sessions, what they have asked of evaluators and executors, and what came of it.
-- Every change of a session and of what belongs to it is made under the lock of its row, which also numbers the change: a
-- watcher that has seen number N has seen everything up to N. A numbered migration never changes once released.

CREATE TABLE session.session (
  -- Made in order of time: the key also lists an account's sessions from the newest.
  id uuid CONSTRAINT session_pkey PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  request_id text,
  -- SHA-256 of what was asked, in hex; present with request_id.
  fingerprint text,
  author text NOT NULL,
  mode text NOT NULL CONSTRAINT session_mode_check CHECK (mode IN ('PAPER', 'LIVE', 'BACKTEST')),
  state text NOT NULL CONSTRAINT session_state_check CHECK (state IN (
    'STARTING', 'ACTIVE', 'PAUSED', 'STOPPING', 'STOPPED', 'FAILED', 'COMPLETED')),
  reason text NOT NULL,
  -- NULL for back-tests.
  executor_id uuid,
  executor_name text NOT NULL,
  pin_policy text NOT NULL CONSTRAINT session_pin_policy_check CHECK (pin_policy IN ('FOLLOW_LATEST', 'PINNED')),
  disconnect_policy text NOT NULL CONSTRAINT session_disconnect_policy_check CHECK (disconnect_policy IN (
    'HOLD', 'REDUCE_ONLY', 'CANCEL_ORDERS', 'FLATTEN')),
  disconnect_after_ms bigint NOT NULL,
  -- Decimals are text: they are computed elsewhere, exactly. Empty: the venue knows.
  initial_balance text NOT NULL,
  realised_pnl text NOT NULL,
  equity text NOT NULL,
  peak_equity text NOT NULL,
  max_drawdown_pct text NOT NULL,
  -- What the executor last reported; empty before.
  balance text NOT NULL,
  dataset text NOT NULL,
  progress_percent double precision NOT NULL,
  -- Of a session that stops: whether its positions are closed.
  close_positions boolean NOT NULL,
  -- The kill switch that stops it.
  halt_id uuid,
  -- Counts repetitions of its stop.
  stop_attempt integer NOT NULL,
  -- Number of the newest change.
  version bigint NOT NULL,
  create_time timestamptz NOT NULL,
  start_time timestamptz,
  stop_time timestamptz,
  CONSTRAINT session_executor_check CHECK ((executor_id IS NULL) = (mode = 'BACKTEST'))
) WITH (fillfactor = 70);
CREATE INDEX session_account_idx ON session.session (account_id, id);
CREATE UNIQUE INDEX session_request_key ON session.session (account_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX session_open_idx ON session.session (account_id, executor_id)
  WHERE state IN ('STARTING', 'ACTIVE', 'PAUSED', 'STOPPING');

-- When a session wants work, and who does it. Apart from the session: a kick must not wait for a change, nor make one.
CREATE TABLE session.work (
  session_id uuid CONSTRAINT work_pkey PRIMARY KEY CONSTRAINT work_session_fkey REFERENCES session.session,
  due_time timestamptz NOT NULL,
  -- Rises with every kick, so that one that comes during the work is not lost.
  kicks bigint NOT NULL DEFAULT 0,
  owner text,
  lease_until timestamptz
) WITH (fillfactor = 50);
CREATE INDEX work_due_idx ON session.work (due_time) WHERE due_time < 'infinity';

CREATE TABLE session.activation (
  instance_id uuid CONSTRAINT activation_pkey PRIMARY KEY,
  session_id uuid NOT NULL CONSTRAINT activation_session_fkey REFERENCES session.session,
  strategy_id text NOT NULL,
  strategy_name text NOT NULL,
  symbol text NOT NULL,
  revision bigint NOT NULL,
  state text NOT NULL CONSTRAINT activation_state_check CHECK (state IN (
    'PENDING', 'ACTIVE', 'FAILED', 'DEACTIVATING', 'INACTIVE')),
  missing jsonb NOT NULL,
  -- Activations of one call stand and fall together, unless allow_partial.
  batch_id uuid NOT NULL,
  allow_partial boolean NOT NULL,
  start_deadline_time timestamptz NOT NULL,
  -- What its evaluator shall do with it, and what the evaluator has confirmed.
  wanted text NOT NULL CONSTRAINT activation_wanted_check CHECK (wanted IN ('RUN', 'PAUSE', 'CLOSE', 'END')),
  told text CONSTRAINT activation_told_check CHECK (told IN ('RUN', 'PAUSE', 'CLOSE', 'END')),
  -- The evaluator's answer to the activation.
  applied boolean NOT NULL,
  evaluator_fault text NOT NULL,
  close_positions boolean NOT NULL,
  blind_time timestamptz,
  -- Request of the StartStrategy command, and its id.
  start_request_id text NOT NULL,
  command_id text NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX activation_session_idx ON session.activation (session_id);
CREATE INDEX activation_strategy_idx ON session.activation (strategy_id)
  WHERE state IN ('PENDING', 'ACTIVE', 'DEACTIVATING');
CREATE UNIQUE INDEX activation_instance_key ON session.activation (session_id, strategy_id, symbol)
  WHERE state IN ('PENDING', 'ACTIVE', 'DEACTIVATING');

-- Everything that evaluators have handed over. Written once; `done` when what follows from it is durable too.
CREATE TABLE session.intent (
  account_id text NOT NULL,
  id text NOT NULL,
  -- Order of arrival.
  number bigint GENERATED ALWAYS AS IDENTITY,
  session_id uuid NOT NULL CONSTRAINT intent_session_fkey REFERENCES session.session,
  body jsonb NOT NULL,
  done boolean NOT NULL DEFAULT false,
  create_time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT intent_pkey PRIMARY KEY (account_id, id)
);
CREATE INDEX intent_open_idx ON session.intent (session_id, number) WHERE NOT done;

CREATE TABLE session.signal (
  id text NOT NULL,
  session_id uuid NOT NULL CONSTRAINT signal_session_fkey REFERENCES session.session,
  instance_id text NOT NULL,
  strategy_id text NOT NULL,
  strategy_name text NOT NULL,
  symbol text NOT NULL,
  revision bigint NOT NULL,
  state text NOT NULL CONSTRAINT signal_state_check CHECK (state IN (
    'DETECTED', 'CANCELLED', 'ENTERING', 'ENTERED', 'REJECTED')),
  reason text NOT NULL,
  market_time timestamptz NOT NULL,
  price text NOT NULL,
  -- Array of the conditions as they were looked at, as proto JSON.
  inputs jsonb NOT NULL,
  command_id text NOT NULL,
  position_id text NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  CONSTRAINT signal_pkey PRIMARY KEY (session_id, id)
) WITH (fillfactor = 80);
CREATE INDEX signal_open_idx ON session.signal (session_id) WHERE state IN ('DETECTED', 'ENTERING');
CREATE INDEX signal_list_idx ON session.signal (session_id, create_time, id);

CREATE TABLE session.position (
  -- The id of the intent that asked for it.
  id text NOT NULL,
  session_id uuid NOT NULL CONSTRAINT position_session_fkey REFERENCES session.session,
  instance_id text NOT NULL,
  strategy_id text NOT NULL,
  strategy_name text NOT NULL,
  symbol text NOT NULL,
  state text NOT NULL CONSTRAINT position_state_check CHECK (state IN ('ENTERING', 'OPEN', 'CLOSING', 'CLOSED', 'UNKNOWN', 'NOT_OPENED')),
  quantity text NOT NULL,
  entry_price text NOT NULL,
  entry_time timestamptz NOT NULL,
  stop_loss_price text NOT NULL,
  take_profit_price text NOT NULL,
  leverage text NOT NULL,
  margin text NOT NULL,
  exit_price text NOT NULL,
  exit_time timestamptz,
  exit_reason text NOT NULL,
  fee text NOT NULL,
  pnl text NOT NULL,
  open_command_id text NOT NULL,
  close_command_id text NOT NULL,
  -- Intent that asked for the close under way; empty when it was none.
  close_intent_id text NOT NULL,
  -- Since when nobody knows whether it was opened, or closed.
  unknown_time timestamptz,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  CONSTRAINT position_pkey PRIMARY KEY (session_id, id)
) WITH (fillfactor = 70);
CREATE INDEX position_open_idx ON session.position (session_id) WHERE state IN ('ENTERING', 'OPEN', 'CLOSING', 'UNKNOWN');
CREATE INDEX position_list_idx ON session.position (session_id, create_time, id);
CREATE INDEX position_command_idx ON session.position (open_command_id) WHERE open_command_id <> '';

-- Commands that are wanted of executors, from the wish to the end. Issued by request_id until the command service has them.
CREATE TABLE session.command (
  account_id text NOT NULL,
  request_id text NOT NULL,
  -- Order in which they were wanted.
  number bigint GENERATED ALWAYS AS IDENTITY,
  -- NULL for commands of the kill switch that stop a whole executor.
  session_id uuid CONSTRAINT command_session_fkey REFERENCES session.session,
  halt_id uuid,
  executor_id uuid NOT NULL,
  purpose text NOT NULL CONSTRAINT command_purpose_check CHECK (purpose IN (
    'START_SESSION', 'START_STRATEGY', 'STOP_STRATEGY', 'STOP_SESSION', 'PAUSE', 'RESUME',
    'OPEN', 'CLOSE', 'CANCEL', 'STATUS', 'HALT')),
  -- What it is for: an instance, a position, a halt.
  subject_id text NOT NULL,
  -- What the command says, as `CommandWish` of the domain.
  wish jsonb NOT NULL,
  -- WANTED before it was issued; REFUSED when it could not be; DROPPED when nobody wants it any more.
  state text NOT NULL CONSTRAINT command_state_check CHECK (state IN (
    'WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED',
    'OUTCOME_UNKNOWN', 'REFUSED', 'DROPPED')),
  command_id text NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  cancel_wanted boolean NOT NULL,
  create_time timestamptz NOT NULL,
  finish_time timestamptz,
  CONSTRAINT command_pkey PRIMARY KEY (account_id, request_id)
) WITH (fillfactor = 70);
CREATE INDEX command_session_idx ON session.command (session_id)
  WHERE state IN ('WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING', 'OUTCOME_UNKNOWN');
CREATE INDEX command_halt_idx ON session.command (halt_id) WHERE halt_id IS NOT NULL;

-- What evaluators must be told; deleted when they have acknowledged it.
CREATE TABLE session.outcome (
  id text CONSTRAINT outcome_pkey PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY,
  session_id uuid NOT NULL CONSTRAINT outcome_session_fkey REFERENCES session.session,
  body jsonb NOT NULL,
  told boolean NOT NULL DEFAULT false
);
CREATE INDEX outcome_open_idx ON session.outcome (session_id, number) WHERE NOT told;

-- What watchers are told, in commit order.
CREATE TABLE session.change (
  session_id uuid NOT NULL CONSTRAINT change_session_fkey REFERENCES session.session,
  number bigint NOT NULL,
  kind text NOT NULL CONSTRAINT change_kind_check CHECK (kind IN ('SESSION', 'SIGNAL', 'POSITION')),
  subject_id text NOT NULL,
  CONSTRAINT change_pkey PRIMARY KEY (session_id, number)
);

-- How far the commands and venue events of an account have been followed, and by whom.
CREATE TABLE session.follower (
  account_id text CONSTRAINT follower_pkey PRIMARY KEY,
  command_cursor text NOT NULL,
  venue_cursor text NOT NULL,
  owner text,
  lease_until timestamptz,
  -- Rises with each owner; writes under an older one change nothing.
  epoch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Uses of the kill switch.
CREATE TABLE session.halt (
  id uuid CONSTRAINT halt_pkey PRIMARY KEY,
  account_id text NOT NULL,
  request_id text,
  fingerprint text,
  scope text NOT NULL CONSTRAINT halt_scope_check CHECK (scope IN ('ACCOUNT', 'EXECUTOR', 'SESSION')),
  target text NOT NULL,
  close_positions boolean NOT NULL,
  author text NOT NULL,
  session_ids uuid[] NOT NULL,
  create_time timestamptz NOT NULL,
  complete_time timestamptz,
  -- When the sweep looks at it next; infinity when it is complete.
  due_time timestamptz NOT NULL,
  CONSTRAINT halt_due_check CHECK ((due_time = 'infinity') = (complete_time IS NOT NULL))
);
CREATE INDEX halt_account_idx ON session.halt (account_id, id);
CREATE UNIQUE INDEX halt_request_key ON session.halt (account_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX halt_due_idx ON session.halt (due_time) WHERE due_time < 'infinity';

-- One executor's answer. The command is the newest one of its purpose for this halt.
CREATE TABLE session.halt_target (
  halt_id uuid NOT NULL CONSTRAINT halt_target_halt_fkey REFERENCES session.halt,
  executor_id uuid NOT NULL,
  executor_name text NOT NULL,
  request_id text NOT NULL,
  attempt integer NOT NULL,
  flat boolean NOT NULL,
  acknowledge_time timestamptz,
  CONSTRAINT halt_target_pkey PRIMARY KEY (halt_id, executor_id)
);
