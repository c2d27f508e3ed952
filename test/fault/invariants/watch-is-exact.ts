import type { HistoryRow, WatchedRow } from '../history-record.ts';
import type { RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** A watcher that resumes from its last cursor misses nothing, sees nothing twice, and sees it in commit order. */
export function* watchIsExact(history: RecordedHistory): Iterable<Violation> {
  for (const [watcher, seen] of history.watchedBy) {
    const account = seen[0]?.account;
    const rows = history.rows.filter((row) => row.account === account);
    const end = Math.max(rows.length, seen.length);
    for (let at = 0; at < end; at++) {
      const row = rows[at];
      const event = seen[at];
      if (row !== undefined && event !== undefined && same(row, event)) continue;
      const message = `watcher ${watcher} differs from the history at its event ${at} (of ${seen.length}; the history has ${rows.length})`;
      yield { invariant: 'WATCH', message, evidence: [row, event].filter((record) => record !== undefined) };
      break;
    }
  }
}

function same(row: HistoryRow, event: WatchedRow): boolean {
  return (
    row.commandId === event.commandId &&
    row.steps.length === event.steps.length &&
    row.steps.every((step, at) => {
      const other = event.steps[at];
      return other !== undefined && step.from === other.from && step.to === other.to && step.cause === other.cause;
    })
  );
}
