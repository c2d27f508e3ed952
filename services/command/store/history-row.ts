import type { Step } from '../domain/command.ts';
import type { HistoryPage } from '../domain/command-reader.ts';
import type { HistoryEntry } from '../domain/repository.ts';
import type { CommandRow } from './command-row.ts';

/** A row of command.history. Steps are ours: the account's writers put them there, and nobody changes them. */
export function readHistoryRow(row: CommandRow): HistoryEntry {
  return {
    number: row['number'] as number,
    commandId: row['command_id'] as string,
    executorId: row['executor_id'] as string,
    steps: row['steps'] as readonly Step[],
  };
}

interface Look {
  readonly afterNumber: number;
  readonly entriesMax: number;
  readonly numbersMax: number;
}

/** A page from the rows of `read_history_after`. */
export function readHistoryPage(
  rows: readonly CommandRow[],
  { afterNumber, entriesMax, numbersMax }: Look,
): HistoryPage {
  const entries = rows.filter((row) => row['number'] !== null).map(readHistoryRow);
  const [first] = rows;
  const newest = first === undefined ? afterNumber : (first['event_number'] as number);
  const removedNumber = first === undefined ? 0 : (first['removed_number'] as number);
  const lookedThrough = Math.max(afterNumber, Math.min(newest, afterNumber + numbersMax));
  const full = entries.length >= entriesMax;
  const throughNumber = full ? (entries.at(-1)?.number ?? lookedThrough) : lookedThrough;
  return { entries, throughNumber, more: throughNumber < newest, removedNumber };
}
