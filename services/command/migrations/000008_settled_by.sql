-- The operator by whose word an unknown outcome was settled; what they saw at the venue stands in `note`.
ALTER TABLE command.command ADD COLUMN settled_by text;
ALTER TABLE command.command ALTER COLUMN settled_by SET STATISTICS 0;
