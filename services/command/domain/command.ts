/** The life of a command as data: no wire types, no rows, times in milliseconds of the platform's clock. */

export const OPEN_STATES = ['PENDING', 'SENT', 'RECEIVED', 'RUNNING'] as const;
export const TERMINAL_STATES = ['SUCCEEDED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED', 'OUTCOME_UNKNOWN'] as const;

export type OpenState = (typeof OPEN_STATES)[number];
export type TerminalState = (typeof TERMINAL_STATES)[number];
export type CommandState = OpenState | TerminalState;

export function isTerminal(state: CommandState): state is TerminalState {
  return (TERMINAL_STATES as readonly string[]).includes(state);
}

/** 1 NORMAL, 2 HIGH (exits), 3 CRITICAL (the kill switch). */
export type Lane = 1 | 2 | 3;

export const HOPS = ['platform', 'stream', 'agent', 'venue'] as const;
export type ErrorHop = (typeof HOPS)[number];

export interface CommandError {
  /** A value name of ErrorReason. */
  readonly reason: string;
  readonly message: string;
  readonly hop: ErrorHop;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Deadlines {
  readonly deliverByMs: number;
  readonly receiveWithinMs: number;
  readonly startWithinMs: number;
  /** Null for kinds that report no progress. */
  readonly progressWithinMs: number | null;
  readonly finishWithinMs: number;
  /** Terminal by then, whatever happens. */
  readonly finishByMs: number;
  readonly notAfterMs: number | null;
}

export interface Command {
  readonly id: string;
  readonly accountId: string;
  readonly executorId: string;
  /** Number in the account's history; 0 until stored. */
  readonly sequence: number;
  readonly kind: string;
  /** Serialized payload; opaque here. */
  readonly parameters: Uint8Array;
  readonly lane: Lane;
  readonly orderingKey: string;
  readonly requestId: string | null;
  readonly fingerprint: Uint8Array | null;
  readonly retryOf: string | null;
  readonly preconditions: Uint8Array | null;
  readonly deadlines: Deadlines;

  readonly state: CommandState;
  readonly version: number;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly failures: number;
  readonly resends: number;
  readonly streamEpoch: number | null;
  readonly journalId: string | null;

  readonly createMs: number;
  readonly sentMs: number | null;
  readonly receivedMs: number | null;
  readonly startMs: number | null;
  readonly progressMs: number | null;
  readonly finishMs: number | null;
  readonly cancelRequestMs: number | null;
  readonly settleMs: number | null;
  readonly retryMs: number | null;
  /** Infinity in terminal states, finite in all others. */
  readonly dueMs: number;

  readonly error: CommandError | null;
  /** Serialized result and progress; opaque here. */
  readonly result: Uint8Array | null;
  readonly progress: Uint8Array | null;
  readonly note: string | null;
  readonly unsettled: boolean;
  /** The operator by whose word an unknown outcome was settled; null where it was not, or the agent settled it. */
  readonly settledBy: string | null;
}

/** One step of a command's history. */
export interface Step {
  readonly from: CommandState | null;
  readonly to: CommandState;
  readonly atMs: number;
  readonly cause: string;
  readonly reason?: string;
  readonly message?: string;
  readonly attempt: number;
  readonly epoch?: number;
}
