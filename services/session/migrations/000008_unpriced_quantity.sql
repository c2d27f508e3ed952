-- A position may be found gone before anybody says at what price: so much of it is priced when somebody does. Empty for none.
ALTER TABLE session.position ADD COLUMN unpriced_quantity text NOT NULL DEFAULT '';
CREATE INDEX position_unpriced_idx ON session.position (session_id) WHERE unpriced_quantity <> '';
