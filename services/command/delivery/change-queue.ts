import type { ChangedCommand } from '../domain/repository.ts';

/** A change that waits to be written. */
export interface PendingChange {
  readonly commandId: string;
  /** Gives the row when its batch is made: what happens to the command until then shares it. */
  take(): ChangedCommand;
  /** Once: false when the stored version or the stream epoch has moved on, so the command is to be read again. Never throws. */
  resolve(written: boolean): void;
  /** Once: the database refuses it, or the ledger stopped while that was away. Never throws. */
  reject(reason: unknown): void;
}

/**
 * How long a change that may wait does so, in ms. At 500 commands a second 1.4 statements a command with 2 ms, 1.2 with 6, and a tenth
 * less of the whole machine; 10 gained nothing over that, and whoever waits for a result waits for this as well.
 */
export const GATHER_MS = 5;
/** So many do not wait for more. */
export const GATHER_ROWS_MAX = 64;
/** After so long without a write there is nothing to gather with. */
const IDLE_MS = 5;

/**
 * The changes of one account that wait to be written. Receipts wait for others a moment, unless the ledger has been idle:
 * nobody is held up by one, and at 500 commands a second each would be a statement of its own, for which the next command
 * has to wait. Times in milliseconds of any one clock.
 */
export class ChangeQueue {
  #waiting: PendingChange[] = [];
  #dueMs = Infinity;
  #lastWriteMs = -Infinity;
  #hurried = false;

  get size(): number {
    return this.#waiting.length;
  }

  push(change: PendingChange, mayGather: boolean, nowMs: number): void {
    this.#waiting.push(change);
    const gathers = mayGather && this.#waiting.length < GATHER_ROWS_MAX && nowMs - this.#lastWriteMs < IDLE_MS;
    this.#dueMs = Math.min(this.#dueMs, gathers ? nowMs + GATHER_MS : nowMs);
  }

  isDue(nowMs: number): boolean {
    return this.#waiting.length > 0 && (this.#hurried || nowMs >= this.#dueMs);
  }

  /** Nothing waits any longer, now or later. */
  hurry(): void {
    this.#hurried = true;
  }

  /** Something was written. */
  wrote(nowMs: number): void {
    this.#lastWriteMs = nowMs;
  }

  /** Up to `max` from the front, at most one a command: the next one of the same command goes with the next batch. */
  take(max: number): PendingChange[] {
    const seen = new Set<string>();
    const taken: PendingChange[] = [];
    const left: PendingChange[] = [];
    for (const change of this.#waiting) {
      if (taken.length === max || seen.has(change.commandId)) left.push(change);
      else {
        seen.add(change.commandId);
        taken.push(change);
      }
    }
    this.#waiting = left;
    this.#dueMs = left.length > 0 ? -Infinity : Infinity;
    return taken;
  }
}
