import type { HistoryRow } from '../history-record.ts';
import type { RecordedHistory } from '../recorded-history.ts';
import type { Violation } from '../violation.ts';

/** I8: an older stream epoch changes nothing: in commit order, no command goes out under a lower epoch than one before it. */
export function* epochsNeverFall(history: RecordedHistory): Iterable<Violation> {
  for (const [executor, rows] of Map.groupBy(history.rows, (row) => `${row.account} ${row.executor}`)) {
    let newest: { readonly epoch: number; readonly row: HistoryRow } | undefined;
    for (const row of rows) {
      const epochs = row.steps
        .filter((step) => step.to === 'SENT' && step.cause.startsWith('sent'))
        .map((s) => s.epoch);
      for (const epoch of epochs) {
        if (newest !== undefined && epoch < newest.epoch) {
          const message = `executor ${executor} was sent ${row.commandId} under epoch ${epoch} after epoch ${newest.epoch} had sent`;
          yield { invariant: 'I8', message, evidence: [newest.row, row] };
        } else newest = { epoch, row };
      }
    }
  }
}
