import type { Pool } from 'pg';
import type { QuarantinedCommand } from '../domain/command-reader.ts';
import { isId } from '../domain/executor.ts';
import { run } from './command-store.ts';
import { listQuarantined } from './list-statements.ts';

/** Postgres writes times with microseconds; a position keeps them, or rows of one millisecond would be skipped. */
const POSITION_FORM = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d)?) (\S+)$/;

interface QuarantineRow {
  readonly command_id: string;
  readonly executor_id: string;
  readonly defect: string;
  readonly row_json: string;
  readonly quarantine_time: number;
  readonly position_time: string;
}

/** Rows that were set aside, newest first, after a position that an earlier page gave. */
export async function readQuarantine(
  pool: Pool,
  accountId: string,
  page: { readonly executorId?: string | undefined; readonly after: string | undefined; readonly rowsMax: number },
): Promise<QuarantinedCommand[]> {
  const [, time, id] = POSITION_FORM.exec(page.after ?? '') ?? [];
  const begins = time !== undefined && id !== undefined && isId(id);
  const values = [accountId, page.executorId ?? null, begins ? time : null, begins ? id : null, page.rowsMax];
  const rows = await run<QuarantineRow>(pool, listQuarantined, values);
  return rows.map((row) => ({
    commandId: row.command_id,
    executorId: row.executor_id,
    defect: row.defect,
    rowJson: row.row_json,
    quarantineMs: row.quarantine_time,
    position: `${row.position_time} ${row.command_id}`,
  }));
}
