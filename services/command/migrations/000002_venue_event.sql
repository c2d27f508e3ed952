-- What agents report of their venues: stops that were hit, disconnect policies that were carried out.

-- One row an account. Events are numbered under this row's lock and in the transaction that stores them, so numbers become
-- visible in order and without gaps. Apart from command.account, whose row every command takes.
CREATE TABLE command.venue_counter (
  account_id text CONSTRAINT venue_counter_pkey PRIMARY KEY,
  event_number bigint NOT NULL DEFAULT 0,
  -- Events up to this number have been removed by retention.
  removed_number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- Append-only.
CREATE TABLE command.venue_event (
  account_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  executor_id uuid NOT NULL,
  -- Identity of the event at its agent: the same one again changes nothing.
  journal_id text NOT NULL,
  journal_number bigint NOT NULL,
  -- strategos.command.v1.VenueEvent.
  event bytea NOT NULL,
  store_time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT venue_event_pkey PRIMARY KEY (account_id, number),
  CONSTRAINT venue_event_identity_key UNIQUE (executor_id, journal_id, journal_number)
);
