import type { JournaledReading } from '../domain/start-deadline.ts';
import type { IssuedStop } from '../domain/stop-fence.ts';
import type { Stage } from '../domain/repeat.ts';

/** One command as the journal keeps it. Bytes are opaque here: what they mean is decided where they are used. */
export interface JournalEntry {
  readonly commandId: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly orderingKey: string;
  readonly kind: string;
  /** The delivery as it came. */
  readonly delivery: Uint8Array;
  readonly stage: Stage;
  readonly receivedAt: JournaledReading;
  /** When the adapter was about to act; absent before. */
  readonly startedAt?: JournaledReading | undefined;
  readonly finishedAt?: JournaledReading | undefined;
  /** The answer for the platform; present exactly when the stage is `finished`. */
  readonly answer?: Uint8Array | undefined;
  /** The platform has made the answer durable. */
  readonly acknowledged: boolean;
  /** How long the answer is kept after it was acknowledged. */
  readonly rememberForMs: number;
}

/** A row that could not be read as an entry; it is kept as it is, apart from the entries. */
export interface DamagedEntry {
  readonly commandId: string;
  readonly attempt: number;
  /** What is wrong with it. */
  readonly defect: string;
}

/** What the journal holds when the agent starts. */
export interface JournalContents {
  /** Everything that is not acknowledged, in issue order. */
  readonly entries: readonly JournalEntry[];
  readonly damaged: readonly DamagedEntry[];
}

/**
 * The agent's durable memory. Each method that returns a promise resolves when the change is on disk, and rejects when the
 * disk refused it, after which the journal takes nothing more. Changes asked for in one turn of the event loop are one
 * transaction, in the order in which they were asked for.
 *
 * An interface, so that tests can stand between the disk and the agent and hold a confirmation back.
 */
export interface Journal {
  /** Made once for this journal; tells the platform whether the one it knew is still there. */
  readonly id: string;
  /** Reads everything that is open. Rows that cannot be read are set aside and listed. */
  load(): JournalContents;
  /** What is on disk of a command: for those that are acknowledged and remembered. A row that cannot be read says so. */
  find(commandId: string): JournalEntry | DamagedEntry | undefined;
  /** Newest stop of each ordering key that is still remembered. */
  stops(): IssuedStop[];
  /** Writes new entries, or replaces those that are tried again; all of them in one transaction. */
  receive(entries: readonly JournalEntry[]): Promise<void>;
  /** Raises the attempt under which an entry answers. */
  adoptAttempt(commandId: string, attempt: number): Promise<void>;
  start(commandId: string, startedAt: JournaledReading): Promise<void>;
  /** Stores an answer, or replaces it by a later and better one; it counts as not acknowledged again. */
  finish(commandId: string, finishedAt: JournaledReading, answer: Uint8Array): Promise<void>;
  acknowledge(commandIds: readonly string[]): Promise<void>;
  /** Moves a row that makes no sense to its reader out of the way, answering with `answer` from now on. */
  setAside(damaged: DamagedEntry, finishedAt: JournaledReading, answer: Uint8Array): Promise<void>;
  /** Forgets what was acknowledged and has been remembered for long enough; returns how many. */
  prune(wallMs: number): number;
  /** Writes what is waiting and lets the files go. */
  close(): Promise<void>;
}
