-- Which instances an ActivateStrategy with a request id gave, so that one whose answer was lost can be asked for again.
CREATE TABLE session.activation_request (
  account_id text NOT NULL,
  request_id text NOT NULL,
  -- SHA-256 of what was asked, in hex.
  fingerprint text NOT NULL,
  session_id uuid NOT NULL CONSTRAINT activation_request_session_fkey REFERENCES session.session,
  instance_ids uuid[] NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT activation_request_pkey PRIMARY KEY (account_id, request_id)
);
CREATE INDEX activation_request_time_idx ON session.activation_request (create_time);
