import type { HistoryPage } from '../domain/command-reader.ts';
import type { HistoryEntry } from '../domain/repository.ts';
import { parseSteps } from './step-row.ts';

/** An entry of the history. */
interface HistoryRow {
  readonly number: number;
  readonly command_id: string;
  readonly executor_id: string;
  readonly steps: string;
}

/** A row of `read_history_after`; all but the account's numbers are NULL when nothing was found. */
export type HistoryAfterRow = { readonly event_number: number; readonly removed_number: number } & (
  | HistoryRow
  | { readonly number: null }
);

function readHistoryRow(row: HistoryRow): HistoryEntry {
  return { number: row.number, commandId: row.command_id, executorId: row.executor_id, steps: parseSteps(row.steps) };
}

interface Look {
  readonly afterNumber: number;
  readonly entriesMax: number;
  readonly numbersMax: number;
}

/** A page from the rows of `read_history_after`. */
export function readHistoryPage(
  rows: readonly HistoryAfterRow[],
  { afterNumber, entriesMax, numbersMax }: Look,
): HistoryPage {
  const entries = rows.flatMap((row) => (row.number === null ? [] : [readHistoryRow(row)]));
  const [first] = rows;
  const newest = first === undefined ? afterNumber : first.event_number;
  const removedNumber = first === undefined ? 0 : first.removed_number;
  const lookedThrough = Math.max(afterNumber, Math.min(newest, afterNumber + numbersMax));
  const full = entries.length >= entriesMax;
  const throughNumber = full ? (entries.at(-1)?.number ?? lookedThrough) : lookedThrough;
  return { entries, throughNumber, more: throughNumber < newest, removedNumber };
}
