-- Room for the second entry that a command gets when it ends, beside the first: pages that were full were split for it, or
-- searched for what could go. 4 of the 25 us that Postgres needs for the end of a command.
ALTER INDEX command.command_pkey SET (fillfactor = 50);
