import type { Command, CommandState, Step } from './command.ts';

/** What domain and handlers ask of storage; `store/` answers with Postgres. */

/** A command to insert, PENDING, with the first step of its history. `sequence` is given by the store. */
export interface NewCommand {
  readonly command: Command;
  readonly step: Step;
  /**
   * The command as sent, where its executor's stream is held by this very replica: stored so when nothing came between
   * (same stream epoch, nobody else wrote to the account), and PENDING otherwise.
   */
  readonly sent: { readonly command: Command; readonly step: Step } | null;
}

/** A changed command: written only when the stored version is still that of `before`. */
export interface ChangedCommand {
  readonly command: Command;
  /** As it is stored. */
  readonly before: Command;
  readonly steps: readonly Step[];
  /** Not 0: only while this is the executor's newest stream epoch. */
  readonly fenceEpoch: number;
}

/** A row that could not be turned into a command. */
export interface UnreadableCommand {
  readonly id: string;
  readonly executorId: string;
  readonly accountId: string;
  readonly version: number;
  readonly sequence: number;
  /** What is wrong, and in which column. */
  readonly defect: string;
}

/** Rows are read one by one: a bad one never hides a good one. */
export interface ReadCommands {
  readonly commands: readonly Command[];
  readonly unreadable: readonly UnreadableCommand[];
}

/** One row of history. */
export interface HistoryEntry {
  readonly number: number;
  readonly commandId: string;
  readonly executorId: string;
  readonly steps: readonly Step[];
}

export interface CommandFilter {
  readonly executorId?: string | undefined;
  readonly states?: readonly CommandState[] | undefined;
  readonly kinds?: readonly string[] | undefined;
}
