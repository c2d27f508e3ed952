-- An executor that is disabled cannot confirm a stop any more. Its part of a kill switch ends without its word, and says so.
ALTER TABLE session.halt_target ADD COLUMN abandon_time timestamptz;
-- Why nobody will confirm, in a sentence; empty while somebody may.
ALTER TABLE session.halt_target ADD COLUMN abandon_reason text NOT NULL DEFAULT '';
