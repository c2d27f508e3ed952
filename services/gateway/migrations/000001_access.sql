-- Accounts and the tokens of their operators.
-- A numbered migration never changes once released; a new one follows it.

CREATE TABLE gateway.account (
  id text CONSTRAINT account_pkey PRIMARY KEY
    CONSTRAINT account_id_check CHECK (id ~ '^[a-z0-9._-]{1,63}$'),
  create_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gateway.token (
  -- Also the public part of the bearer.
  id text CONSTRAINT token_pkey PRIMARY KEY CONSTRAINT token_id_check CHECK (id ~ '^[0-9a-f]{32}$'),
  account_id text NOT NULL CONSTRAINT token_account_fkey REFERENCES gateway.account,
  name text NOT NULL CONSTRAINT token_name_check CHECK (name ~ '^[a-z0-9._-]{1,63}$'),
  role text NOT NULL CONSTRAINT token_role_check CHECK (role IN ('viewer', 'operator', 'admin')),
  -- SHA-256 of 32 random bytes: nothing to stretch, nothing to guess.
  secret_hash bytea NOT NULL CONSTRAINT token_secret_hash_check CHECK (length(secret_hash) = 32),
  create_time timestamptz NOT NULL DEFAULT now(),
  -- NULL while the token is valid.
  revoke_time timestamptz,
  CONSTRAINT token_revoke_time_check CHECK (revoke_time >= create_time)
);
-- A revoked token frees its name.
CREATE UNIQUE INDEX token_active_name_key ON gateway.token (account_id, name) WHERE revoke_time IS NULL;
CREATE INDEX token_account_idx ON gateway.token (account_id, create_time, id);
