-- Instances, who owns them, what they decided, and what they ask of their sessions.
-- Times are the platform's, or market times where said. A numbered migration never changes once released; a new one follows it.

-- One row an account. Evaluations take their numbers here, under this row's lock and in the same transaction, so numbers
-- become visible in order: a reader that has seen N has seen everything up to N.
CREATE TABLE evaluator.account (
  id text COLLATE "C" CONSTRAINT account_pkey PRIMARY KEY,
  evaluation_number bigint NOT NULL DEFAULT 0,
  -- Evaluations up to this number have been removed by retention.
  removed_number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- One row a life of a replica's process. Its lease is the lease of every instance that it owns.
CREATE TABLE evaluator.replica (
  owner_id uuid CONSTRAINT replica_pkey PRIMARY KEY,
  replica_id text NOT NULL,
  -- Where other replicas ask it; empty while it cannot be asked.
  address text NOT NULL,
  lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE evaluator.instance (
  id text COLLATE "C" CONSTRAINT instance_pkey PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL CONSTRAINT instance_account_fkey REFERENCES evaluator.account,
  session_id text COLLATE "C" NOT NULL,
  strategy_id text COLLATE "C" NOT NULL,
  strategy_name text NOT NULL DEFAULT '',
  symbol text NOT NULL,
  pin_policy text NOT NULL CONSTRAINT instance_pin_policy_check CHECK (pin_policy IN ('FOLLOW_LATEST', 'PINNED')),
  status text NOT NULL CONSTRAINT instance_status_check
    CHECK (status IN ('PENDING', 'ACTIVE', 'FAILED', 'CLOSING', 'INACTIVE')),
  wanted_revision bigint NOT NULL,
  -- 0 before it is applied.
  running_revision bigint NOT NULL DEFAULT 0,
  -- Why it is FAILED, or not yet ACTIVE.
  fault text NOT NULL DEFAULT '',
  paused boolean NOT NULL DEFAULT false,
  -- NULL: free to be claimed. Fencing: the epoch rises with each claim, and writes under an older one change nothing.
  owner_id uuid,
  lease_epoch bigint NOT NULL DEFAULT 0,
  freshness text NOT NULL DEFAULT '',
  -- The newest event that was looked at; its time is market time in ms.
  evaluated_sequence bigint NOT NULL DEFAULT 0,
  evaluated_ms double precision NOT NULL DEFAULT '-infinity',
  -- The state machine: state, timers, position, what it waits for.
  data json NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  -- Last change of what somebody else than the owner decides, for owners that missed the doorbell.
  control_time timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 60);
CREATE INDEX instance_live_idx ON evaluator.instance (owner_id)
  WHERE status IN ('PENDING', 'ACTIVE', 'CLOSING');
CREATE INDEX instance_account_idx ON evaluator.instance (account_id, session_id);
CREATE INDEX instance_control_idx ON evaluator.instance (control_time);

-- Every transition and every decision that was held back. Append-only.
CREATE TABLE evaluator.evaluation (
  account_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  instance_id text COLLATE "C" NOT NULL,
  session_id text COLLATE "C" NOT NULL,
  record_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  body json NOT NULL,
  CONSTRAINT evaluation_pkey PRIMARY KEY (account_id, number)
);
CREATE INDEX evaluation_instance_idx ON evaluator.evaluation (instance_id, number);

-- What was asked of sessions and not yet acknowledged by them.
CREATE TABLE evaluator.intent (
  id text COLLATE "C" CONSTRAINT intent_pkey PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  -- Made under the lock of the account's row: within an account the order of decisions.
  place bigint GENERATED ALWAYS AS IDENTITY,
  instance_id text COLLATE "C" NOT NULL,
  -- strategos.evaluator.v1.Intent
  payload bytea NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What became of intents and positions; kept after it was applied, so that repeats change nothing.
CREATE TABLE evaluator.outcome (
  account_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  -- Made under the lock of the account's row.
  place bigint GENERATED ALWAYS AS IDENTITY,
  instance_id text COLLATE "C" NOT NULL,
  body json NOT NULL,
  applied boolean NOT NULL DEFAULT false,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT outcome_pkey PRIMARY KEY (account_id, id)
);
CREATE INDEX outcome_open_idx ON evaluator.outcome (instance_id) WHERE NOT applied;

-- Revisions that instances run, so that another replica goes on although the strategy service is away.
CREATE TABLE evaluator.definition (
  account_id text COLLATE "C" NOT NULL,
  strategy_id text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  -- strategos.strategy.v1.StrategyDefinition
  payload bytea NOT NULL,
  CONSTRAINT definition_pkey PRIMARY KEY (account_id, strategy_id, revision)
);

-- What each replica has applied of an account's strategies.
CREATE TABLE evaluator.cache_state (
  owner_id uuid NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  applied_revision bigint NOT NULL,
  digest text NOT NULL,
  update_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT cache_state_pkey PRIMARY KEY (account_id, owner_id)
) WITH (fillfactor = 50);
