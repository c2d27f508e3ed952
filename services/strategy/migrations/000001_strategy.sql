-- Strategies as immutable revisions, and what has still to be published of them.
-- Times are the platform's. A numbered migration never changes once released; a new one follows it.

-- One row an account. Every change of a strategy takes its revision number here, under this row's lock and in the same
-- transaction, so numbers have no gaps and become visible in order: a reader that has seen N has seen everything up to N.
CREATE TABLE strategy.account (
  id text COLLATE "C" CONSTRAINT account_pkey PRIMARY KEY,
  revision bigint NOT NULL DEFAULT 0,
  -- SHA-256 over "<strategy id>:<revision>\n" of every strategy that is not deleted, by id: what a reader's copy must give.
  digest bytea NOT NULL DEFAULT sha256('') CONSTRAINT account_digest_check CHECK (length(digest) = 32),
  change_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20);

-- One row a strategy: its newest revision, without the definition, so that the digest reads little.
CREATE TABLE strategy.strategy (
  id uuid CONSTRAINT strategy_pkey PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL CONSTRAINT strategy_account_fkey REFERENCES strategy.account,
  name text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  create_revision bigint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  delete_time timestamptz,
  -- The caller's idempotency key, with what it was used for.
  request_id text COLLATE "C",
  request_digest bytea,
  CONSTRAINT strategy_request_key UNIQUE (account_id, request_id),
  CONSTRAINT strategy_request_check CHECK ((request_id IS NULL) = (request_digest IS NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX strategy_name_key ON strategy.strategy (account_id, name) WHERE delete_time IS NULL;

-- Append-only.
CREATE TABLE strategy.revision (
  account_id text COLLATE "C" NOT NULL CONSTRAINT revision_account_fkey REFERENCES strategy.account,
  number bigint NOT NULL,
  strategy_id uuid NOT NULL CONSTRAINT revision_strategy_fkey REFERENCES strategy.strategy,
  type text NOT NULL CONSTRAINT revision_type_check CHECK (type IN ('CREATED', 'UPDATED', 'DELETED')),
  -- The JSON form, kept to the letter.
  definition json NOT NULL,
  author text NOT NULL,
  -- The account's digest as of this revision.
  digest bytea NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT revision_pkey PRIMARY KEY (account_id, number)
);
CREATE INDEX revision_strategy_idx ON strategy.revision (strategy_id, number);

-- Revisions that have not been handed to NATS yet. Nearly always empty.
CREATE TABLE strategy.outbox (
  account_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT outbox_pkey PRIMARY KEY (account_id, number)
);
