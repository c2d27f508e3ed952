import type { Command } from '../domain/command.ts';
import type { NewCommand } from '../domain/repository.ts';

/**
 * A new command as stored: PENDING, or SENT when its stream is held here. Null when its request_id is taken, an error when the
 * database refuses it, UNAVAILABLE when that cannot be reached: then it may or may not have been stored.
 */
export type InsertOutcome = Command | null | Error;

export function isStored(outcome: InsertOutcome): outcome is Command {
  return outcome !== null && !(outcome instanceof Error);
}

/** Commands that came in one call, which is answered when all of them are. */
interface Call {
  readonly outcomes: InsertOutcome[];
  left: number;
  readonly resolve: (outcomes: readonly InsertOutcome[]) => void;
}

/** A new command that waits to be stored. */
export interface PendingInsert {
  readonly row: NewCommand;
  readonly call: Call;
  /** Of its outcome among those of the call. */
  readonly place: number;
}

/** The new commands of one account that wait to be stored. A promise for each, and not a call, was a tenth of what lives. */
export class InsertQueue {
  #waiting: PendingInsert[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves with the outcome of each row, in their order. */
  push(rows: readonly NewCommand[]): Promise<readonly InsertOutcome[]> {
    return new Promise((resolve) => {
      const call: Call = { outcomes: [], left: rows.length, resolve };
      for (const [place, row] of rows.entries()) this.#waiting.push({ row, call, place });
      if (rows.length === 0) resolve([]);
    });
  }

  /** Up to `max` from the front. */
  take(max: number): PendingInsert[] {
    return this.#waiting.splice(0, max);
  }
}

/** Answers one of the commands that were taken; only the first answer counts. */
export function answer({ call, place }: PendingInsert, outcome: InsertOutcome): void {
  if (place in call.outcomes) return;
  call.outcomes[place] = outcome;
  call.left -= 1;
  if (call.left === 0) call.resolve(call.outcomes);
}
