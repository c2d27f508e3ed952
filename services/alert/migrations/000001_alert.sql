-- What is wrong or was, and the notices about it.
-- One replica at a time looks at the rules and sends; everything that must survive it is here. A numbered migration never changes
-- once released.

-- One row: who looks.
CREATE TABLE alert.watch (
  id integer CONSTRAINT watch_pkey PRIMARY KEY CONSTRAINT watch_single_check CHECK (id = 1),
  holder text NOT NULL,
  lease_until timestamptz NOT NULL,
  -- When the rules were last looked at to the end.
  look_time timestamptz
) WITH (fillfactor = 50);

CREATE TABLE alert.alert (
  -- Empty for what concerns the platform as a whole.
  account_id text COLLATE "C" NOT NULL,
  rule text NOT NULL,
  subject text NOT NULL,
  -- Counts how often it has begun to fire.
  occurrence bigint NOT NULL,
  state text NOT NULL CONSTRAINT alert_state_check CHECK (state IN ('FIRING', 'RECOVERED')),
  sentence text NOT NULL,
  next text NOT NULL,
  fire_time timestamptz NOT NULL,
  seen_time timestamptz NOT NULL,
  -- When a notice about its firing was last written.
  notice_time timestamptz NOT NULL,
  recover_time timestamptz,
  CONSTRAINT alert_pkey PRIMARY KEY (account_id, rule, subject),
  CONSTRAINT alert_recover_check CHECK ((state = 'RECOVERED') = (recover_time IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX alert_firing_idx ON alert.alert (account_id) WHERE state = 'FIRING';

-- A notice on its way over one channel. Written in the transaction that changes the alert, removed when it has arrived.
CREATE TABLE alert.notice (
  -- The same over all tries: a receiver can tell a repeat.
  id uuid CONSTRAINT notice_pkey PRIMARY KEY,
  channel text NOT NULL CONSTRAINT notice_channel_check CHECK (channel IN ('webhook', 'email')),
  account_id text NOT NULL,
  rule text NOT NULL,
  subject text NOT NULL,
  occurrence bigint NOT NULL,
  kind text NOT NULL CONSTRAINT notice_kind_check CHECK (kind IN ('FIRING', 'REMINDER', 'RECOVERED')),
  sentence text NOT NULL,
  next text NOT NULL,
  fire_time timestamptz NOT NULL,
  create_time timestamptz NOT NULL,
  attempt integer NOT NULL DEFAULT 0,
  due_time timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX notice_due_idx ON alert.notice (due_time);
