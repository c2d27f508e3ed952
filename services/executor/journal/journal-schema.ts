/**
 * Schema of the journal, one step a version; see `applySchemaSteps`. The partial indexes hold only what is open, what may
 * be forgotten, and stops: few rows, read at every start.
 */
export const JOURNAL_STEPS: readonly string[] = [
  `
  CREATE TABLE journal (
    only_row INTEGER PRIMARY KEY CONSTRAINT journal_one_row CHECK (only_row = 1),
    journal_id TEXT NOT NULL
  ) STRICT;
  CREATE TABLE entry (
    command_id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    ordering_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    delivery BLOB NOT NULL,
    stage TEXT NOT NULL CONSTRAINT entry_stage CHECK (stage IN ('received', 'running', 'finished')),
    received_wall_ms REAL NOT NULL,
    received_uptime_ms REAL NOT NULL,
    started_wall_ms REAL,
    started_uptime_ms REAL,
    finished_wall_ms REAL,
    finished_uptime_ms REAL,
    answer BLOB,
    acknowledged INTEGER NOT NULL CONSTRAINT entry_acknowledged CHECK (acknowledged IN (0, 1)),
    remember_for_ms REAL NOT NULL
  ) STRICT;
  CREATE INDEX entry_open ON entry (sequence) WHERE acknowledged = 0;
  CREATE INDEX entry_forget ON entry (finished_wall_ms + remember_for_ms) WHERE acknowledged = 1;
  CREATE INDEX entry_stop ON entry (ordering_key, sequence) WHERE kind IN ('stop_strategy', 'stop_session', 'stop_all');
  CREATE TABLE damaged_entry (
    damaged_entry_id INTEGER PRIMARY KEY,
    command_id TEXT NOT NULL,
    defect TEXT NOT NULL,
    row_json TEXT NOT NULL,
    found_wall_ms REAL NOT NULL
  ) STRICT;
  `,
];
