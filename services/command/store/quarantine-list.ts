import type { Pool } from 'pg';
import type { QuarantinedCommand } from '../domain/command-reader.ts';
import { isId } from '../domain/executor.ts';
import { run } from './command-store.ts';
import { listQuarantined } from './list-statements.ts';

/** Postgres writes times with microseconds; a position keeps them, or rows of one millisecond would be skipped. */
const POSITION_FORM = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d)?) (\S+)$/;

/** Rows that were set aside, newest first, after a position that an earlier page gave. */
export async function readQuarantine(
  pool: Pool,
  accountId: string,
  page: { readonly executorId?: string | undefined; readonly after: string | undefined; readonly rowsMax: number },
): Promise<QuarantinedCommand[]> {
  const [, time, id] = POSITION_FORM.exec(page.after ?? '') ?? [];
  const begins = time !== undefined && id !== undefined && isId(id);
  const values = [accountId, page.executorId ?? null, begins ? time : null, begins ? id : null, page.rowsMax];
  const rows = await run(pool, listQuarantined, values);
  return rows.map((row) => ({
    commandId: row['command_id'] as string,
    executorId: row['executor_id'] as string,
    defect: row['defect'] as string,
    rowJson: row['row_json'] as string,
    quarantineMs: row['quarantine_time'] as number,
    position: `${row['position_time'] as string} ${row['command_id'] as string}`,
  }));
}
