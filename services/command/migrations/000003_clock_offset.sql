-- The agent's clock minus the platform's at the last Hello, in milliseconds: shown to people, decides nothing.
ALTER TABLE command.executor ADD COLUMN clock_offset_ms bigint;
