-- Price sources, the newest events of each symbol, and datasets.
-- Times of events are market time, in milliseconds since the epoch; other times are the platform's.
-- A numbered migration never changes once released; a new one follows it.

-- How far the numbers of a symbol's events have come. Numbers never fall, whatever feeds the symbol.
CREATE TABLE market.symbol (
  account_id text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  head_sequence bigint NOT NULL,
  CONSTRAINT symbol_pkey PRIMARY KEY (account_id, symbol)
) WITH (fillfactor = 50);

CREATE TABLE market.source (
  -- Made in order of time: the key also lists an account's sources from the newest.
  id uuid CONSTRAINT source_pkey PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  -- What feeds the symbol, with its settings.
  kind jsonb NOT NULL,
  state text NOT NULL CONSTRAINT source_state_check CHECK (state IN ('RUNNING', 'COMPLETED', 'STOPPED', 'FAILED')),
  reason text NOT NULL DEFAULT '',
  create_time timestamptz NOT NULL DEFAULT now(),
  change_time timestamptz NOT NULL DEFAULT now(),
  -- Written together with the events that it has passed, so that a restart neither skips nor repeats one.
  position jsonb NOT NULL,
  stats jsonb NOT NULL,
  stop_requested boolean NOT NULL DEFAULT false,
  -- The replica that runs it, while its lease lasts. Writes under an older epoch change nothing.
  owner_replica text,
  owner_url text,
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_expire_time timestamptz
) WITH (fillfactor = 50);
-- At most one source feeds a symbol.
CREATE UNIQUE INDEX source_running_key ON market.source (account_id, symbol) WHERE state = 'RUNNING';
CREATE INDEX source_account_idx ON market.source (account_id, id);

-- The newest events of each symbol: what watchers resume from and indicators warm up with.
CREATE TABLE market.event (
  account_id text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  source_id uuid NOT NULL,
  time_ms bigint NOT NULL,
  -- NULL for a trade, whose price and amount stand in close and volume.
  open_time_ms bigint,
  open text,
  high text,
  low text,
  close text NOT NULL,
  volume text NOT NULL,
  side text NOT NULL,
  CONSTRAINT event_pkey PRIMARY KEY (account_id, symbol, sequence)
);

-- The newest one-minute candles that trades have made; sequence is that of the trade that closed the candle.
CREATE TABLE market.candle (
  account_id text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  source_id uuid NOT NULL,
  close_time_ms bigint NOT NULL,
  open double precision NOT NULL,
  high double precision NOT NULL,
  low double precision NOT NULL,
  close double precision NOT NULL,
  volume double precision NOT NULL,
  CONSTRAINT candle_pkey PRIMARY KEY (account_id, symbol, sequence)
);

CREATE TABLE market.dataset (
  account_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL CONSTRAINT dataset_name_check CHECK (name ~ '^[A-Za-z0-9._-]{1,100}$'),
  -- SHA-256 of the uncompressed content, in hex.
  content_digest text NOT NULL,
  form text NOT NULL CONSTRAINT dataset_form_check CHECK (form IN ('candles', 'trades')),
  row_count bigint NOT NULL,
  interval_ms bigint,
  first_time_ms bigint NOT NULL,
  last_time_ms bigint NOT NULL,
  last_price text NOT NULL,
  stats jsonb NOT NULL,
  -- Gzipped CSV.
  content bytea NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT dataset_pkey PRIMARY KEY (account_id, name)
);
-- It is compressed already.
ALTER TABLE market.dataset ALTER COLUMN content SET STORAGE EXTERNAL;
