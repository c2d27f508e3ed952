import type { Command } from '../domain/command.ts';
import type { NewCommand, UnreadableCommand } from '../domain/repository.ts';

/** The streams that this replica holds, as far as a ledger has to know them. */
export interface LocalStreams {
  /** Executors of the account whose stream is held here. */
  executorIds(accountId: string): readonly string[];
  holds(executorId: string): boolean;
  /**
   * Asks whether a command that is about to be stored may go out at once. Reserves its place, which its sequence says until it
   * has a number, and returns it as sent, or null.
   * Followed by `confirm` or `release` for each command that was not null. What is stored with it and waits for it must not
   * go out either, so commands that may not (`mayGo` false) are named here too.
   */
  admit(command: Command, mayGo: boolean): NewCommand['sent'];
  /** The command is stored as SENT, with its number. */
  confirm(command: Command): void;
  release(command: Command): void;
  /** Tells of commands as they are stored now, new ones included. */
  merge(commands: readonly Command[]): void;
  /** Hands over rows that cannot be read. */
  setAside(unreadable: readonly UnreadableCommand[]): void;
}
