-- By which request a revision was made, so that an update whose answer was lost can be asked for again. Apart from the
-- revisions, which are append-only: the key is forgotten by age. Creations have theirs in strategy.strategy.
CREATE TABLE strategy.request (
  account_id text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  -- SHA-256 of what was asked.
  digest bytea NOT NULL CONSTRAINT request_digest_check CHECK (length(digest) = 32),
  strategy_id uuid NOT NULL CONSTRAINT request_strategy_fkey REFERENCES strategy.strategy,
  revision bigint NOT NULL,
  time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT request_pkey PRIMARY KEY (account_id, request_id)
);
CREATE INDEX request_time_idx ON strategy.request (time);
