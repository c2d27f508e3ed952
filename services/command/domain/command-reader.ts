import type { Command, CommandState, Step } from './command.ts';
import type { CommandFilter, HistoryEntry, UnreadableCommand } from './repository.ts';

/** What handlers ask of the stored commands; `store/` answers with Postgres. Nothing leaves its account. */

/** One page of a list, newest first. */
export interface CommandPage {
  readonly commands: readonly Command[];
  /** Id below which the next page begins; null on the last page. */
  readonly nextId: string | null;
}

/** A stretch of an account's history. */
export interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  /** Everything up to this number has been looked at; the next page begins after it. */
  readonly throughNumber: number;
  /** More is there right now. */
  readonly more: boolean;
  /** Events up to this number have been removed. */
  readonly removedNumber: number;
}

/** Where an account's history begins and ends at this moment. */
export interface HistoryRange {
  /** Number of the newest event; 0 before the first. */
  readonly newest: number;
  /** Events up to this number have been removed. */
  readonly removed: number;
}

/** A command that stands in front of another. */
export interface BlockingCommand {
  readonly id: string;
  readonly kind: string;
  readonly state: CommandState;
}

/** Percentiles in milliseconds over `count` commands. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Counts and times of a set of commands; a latency is null when nothing was measured. */
export interface CommandTimings {
  readonly count: number;
  /** Succeeded among terminal ones, CANCELLED left out; 1 when there is none. */
  readonly successRate: number;
  readonly acceptedToReceived: Latency | null;
  readonly acceptedToFinished: Latency | null;
}

/** Which commands are counted, and how finely. */
export interface StatsQuery {
  readonly executorId?: string | undefined;
  /** The window, by the commands' creation. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly executorsMax: number;
  /** Spans of equal length that the window is also told in; 0: none. */
  readonly bucketCount: number;
}

export interface CommandStats extends CommandTimings {
  readonly states: ReadonlyMap<string, number>;
  readonly kinds: ReadonlyMap<string, number>;
  /** Those with the most commands first. */
  readonly executors: readonly (CommandTimings & { readonly executorId: string })[];
  /** Spans of the window that hold commands, in order of time. */
  readonly buckets: readonly (CommandTimings & { readonly index: number; readonly tried: number })[];
}

/** A row that was set aside. */
export interface QuarantinedCommand {
  readonly commandId: string;
  readonly executorId: string;
  readonly defect: string;
  readonly rowJson: string;
  readonly quarantineMs: number;
  /** Where the next page begins after this one. */
  readonly position: string;
}

export interface CommandReader {
  /** Every account that has ever had an executor, in order. */
  accounts(): Promise<readonly string[]>;
  /** The command; the defect of a row that cannot be read; undefined when there is none. */
  get(accountId: string, id: string): Promise<Command | UnreadableCommand | undefined>;
  /** Those of the commands that exist and can be read, by id. */
  getMany(accountId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Command>>;
  /** The command that was made with this request_id. */
  getByRequestId(accountId: string, requestId: string): Promise<Command | undefined>;
  list(
    accountId: string,
    filter: CommandFilter,
    page: { readonly belowId: string; readonly commandsMax: number },
  ): Promise<CommandPage>;
  historyRange(accountId: string): Promise<HistoryRange>;
  /** The account's history after a number, in order; `executorId` narrows it. */
  historyAfter(
    accountId: string,
    afterNumber: number,
    page: { readonly entriesMax: number; readonly executorId?: string | undefined },
  ): Promise<HistoryPage>;
  /** The steps of one command, oldest first, without interim progress. */
  timelineOf(accountId: string, commandId: string): Promise<readonly Step[]>;
  /** Earlier open commands of the same executor whose ordering key is related, oldest first. */
  blocking(command: Command, blockingMax: number): Promise<readonly BlockingCommand[]>;
  stats(accountId: string, query: StatsQuery): Promise<CommandStats>;
  quarantined(
    accountId: string,
    page: { readonly executorId?: string | undefined; readonly after: string | undefined; readonly rowsMax: number },
  ): Promise<readonly QuarantinedCommand[]>;
}
