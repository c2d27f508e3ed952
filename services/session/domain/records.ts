import type { SessionState } from './session-state.ts';

export type SessionMode = 'PAPER' | 'LIVE' | 'BACKTEST';
export type PinPolicy = 'FOLLOW_LATEST' | 'PINNED';
export type DisconnectPolicy = 'HOLD' | 'REDUCE_ONLY' | 'CANCEL_ORDERS' | 'FLATTEN';

/** A session. Times in milliseconds of the platform's clock, money as decimals in text; empty where there is none. */
export interface SessionRecord {
  readonly id: string;
  readonly accountId: string;
  readonly requestId: string | null;
  readonly fingerprint: string | null;
  readonly author: string;
  readonly mode: SessionMode;
  readonly state: SessionState;
  readonly reason: string;
  readonly executorId: string | null;
  readonly executorName: string;
  readonly pinPolicy: PinPolicy;
  readonly disconnectPolicy: DisconnectPolicy;
  readonly disconnectAfterMs: number;
  readonly initialBalance: string;
  readonly realisedPnl: string;
  readonly equity: string;
  readonly peakEquity: string;
  readonly maxDrawdownPct: string;
  /** As the executor last reported it. */
  readonly balance: string;
  readonly dataset: string;
  readonly progressPercent: number;
  readonly closePositions: boolean;
  readonly haltId: string | null;
  readonly stopAttempt: number;
  /** Of the kill switches' commands whose answers are booked here. */
  readonly bookedCommandIds: readonly string[];
  /** Number of the newest change. */
  readonly version: number;
  readonly createTimeMs: number;
  readonly startTimeMs: number | null;
  readonly stopTimeMs: number | null;
}

export type ActivationState = 'PENDING' | 'ACTIVE' | 'FAILED' | 'DEACTIVATING' | 'INACTIVE';
/** What an evaluator is to do with an instance: run it, hold its entries back, end it when it is flat, end it now. */
export type Wanted = 'RUN' | 'PAUSE' | 'CLOSE' | 'END';

/** A strategy on a symbol within a session. */
export interface ActivationRecord {
  readonly instanceId: string;
  readonly sessionId: string;
  readonly strategyId: string;
  readonly strategyName: string;
  readonly symbol: string;
  readonly revision: number;
  readonly state: ActivationState;
  readonly missing: readonly string[];
  /** Activations of one call stand and fall together, unless allowPartial. */
  readonly batchId: string;
  readonly allowPartial: boolean;
  readonly startDeadlineTimeMs: number;
  readonly wanted: Wanted;
  /** What the evaluator has confirmed; null before the first time. */
  readonly told: Wanted | null;
  /** The owning evaluator has applied exactly the revision. */
  readonly applied: boolean;
  readonly evaluatorFault: string;
  readonly closePositions: boolean;
  readonly blindTimeMs: number | null;
  readonly startRequestId: string;
  readonly commandId: string;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

/** What a call with a request id has activated. */
export interface ActivationRequest {
  readonly requestId: string;
  /** SHA-256 of what was asked, in hex. */
  readonly fingerprint: string;
  readonly sessionId: string;
  readonly instanceIds: readonly string[];
}

export type SignalState = 'DETECTED' | 'CANCELLED' | 'ENTERING' | 'ENTERED' | 'REJECTED';

/** What came of a signal. `inputs` are the conditions as they were looked at, in proto JSON. */
export interface SignalRecord {
  readonly id: string;
  readonly sessionId: string;
  readonly instanceId: string;
  readonly strategyId: string;
  readonly strategyName: string;
  readonly symbol: string;
  readonly revision: number;
  readonly state: SignalState;
  readonly reason: string;
  readonly marketTimeMs: number;
  readonly price: string;
  readonly inputs: readonly unknown[];
  readonly commandId: string;
  readonly positionId: string;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

/** ENTERING: its order is under way. NOT_OPENED: there never was one. Neither is a position to anybody outside. */
export type PositionState = 'ENTERING' | 'OPEN' | 'CLOSING' | 'CLOSED' | 'UNKNOWN' | 'NOT_OPENED';

/** One position of one instance; its id is that of the intent that asked for it. */
export interface PositionRecord {
  readonly id: string;
  readonly sessionId: string;
  readonly instanceId: string;
  readonly strategyId: string;
  readonly strategyName: string;
  readonly symbol: string;
  readonly state: PositionState;
  /** What is held; of one that is CLOSED, what was held at first. */
  readonly quantity: string;
  /** What closes that were filled in part have closed of it; empty for none. */
  readonly closedQuantity: string;
  /** How much of one that is CLOSED nobody has said the price of yet, as of one that was found gone; empty for nothing. */
  readonly unpricedQuantity: string;
  readonly entryPrice: string;
  /** Market time of the decision. */
  readonly entryTimeMs: number;
  readonly stopLossPrice: string;
  readonly takeProfitPrice: string;
  readonly leverage: string;
  readonly margin: string;
  readonly exitPrice: string;
  /** Market time where it is known; while it closes, that of the decision. */
  readonly exitTimeMs: number | null;
  readonly exitReason: string;
  readonly fee: string;
  /** Of what has been closed. */
  readonly pnl: string;
  readonly openCommandId: string;
  /** Of one that is held: the kill switch's command that has closed a part of it. */
  readonly closeCommandId: string;
  readonly closeIntentId: string;
  /** Since when nobody knows whether it was opened, or closed; or when the executor was last asked, and did not say. */
  readonly unknownTimeMs: number | null;
  readonly createTimeMs: number;
  readonly updateTimeMs: number;
}

export type CommandPurpose =
  | 'START_SESSION'
  | 'START_STRATEGY'
  | 'STOP_STRATEGY'
  | 'STOP_SESSION'
  | 'PAUSE'
  | 'RESUME'
  | 'OPEN'
  | 'CLOSE'
  | 'CANCEL'
  | 'STATUS'
  | 'HALT';

export type OpenCommandState = 'WANTED' | 'PENDING' | 'SENT' | 'RECEIVED' | 'RUNNING';
export type CommandEnd =
  | 'SUCCEEDED'
  | 'FAILED'
  | 'REJECTED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'OUTCOME_UNKNOWN'
  | 'REFUSED'
  | 'DROPPED';

/** What a command says. Spans in milliseconds, times of the platform's clock, market times as such. */
export type CommandWish =
  | { readonly type: 'START_SESSION'; readonly symbols: readonly string[] }
  | { readonly type: 'START_STRATEGY'; readonly strategyId: string; readonly symbol: string; readonly revision: number }
  | {
      readonly type: 'STOP_STRATEGY';
      readonly strategyId: string;
      readonly symbol: string;
      readonly closePositions: boolean;
    }
  | { readonly type: 'STOP_SESSION'; readonly closePositions: boolean; readonly critical: boolean }
  | { readonly type: 'STOP_ALL'; readonly closePositions: boolean }
  | { readonly type: 'PAUSE' }
  | { readonly type: 'RESUME' }
  | {
      readonly type: 'OPEN_POSITION';
      readonly strategyId: string;
      readonly symbol: string;
      readonly quantity: string;
      readonly referencePrice: string;
      readonly referenceTimeMs: number;
      readonly stopLossPrice: string;
      readonly takeProfitPrice: string;
      readonly leverage: string;
      /** That the executor must run. */
      readonly revision: number;
      readonly notAfterMs: number;
    }
  | {
      readonly type: 'CLOSE_POSITION';
      readonly strategyId: string;
      readonly symbol: string;
      /** Empty: the venue's own price. */
      readonly referencePrice: string;
      readonly referenceTimeMs: number | null;
    }
  | { readonly type: 'CANCEL_ORDERS'; readonly strategyId: string; readonly symbol: string }
  | { readonly type: 'GET_STATUS'; readonly notAfterMs: number };

/** A command that is wanted of an executor, from the wish to its end. */
export interface CommandRecord {
  readonly accountId: string;
  readonly requestId: string;
  readonly sessionId: string | null;
  readonly haltId: string | null;
  readonly executorId: string;
  readonly purpose: CommandPurpose;
  readonly subjectId: string;
  readonly wish: CommandWish;
  readonly state: OpenCommandState | CommandEnd;
  readonly commandId: string;
  readonly reason: string;
  readonly message: string;
  readonly cancelWanted: boolean;
  /** Of one that is WANTED: not issued before. */
  readonly createTimeMs: number;
  readonly finishTimeMs: number | null;
}

export type Section = 'Z1_ENTRY' | 'ZE1_CLOSE' | 'EMERGENCY_EXIT' | 'STOP_LOSS' | 'TAKE_PROFIT' | 'VENUE' | 'SESSION';

/** What an evaluator is told of an intent or a position. */
export interface OutcomeRecord {
  readonly id: string;
  readonly sessionId: string;
  readonly instanceId: string;
  readonly intentId: string;
  readonly type: 'OPENED' | 'NOT_OPENED' | 'CLOSED' | 'NOT_CLOSED';
  readonly section: Section;
  readonly reason: string;
  readonly message: string;
  readonly price: string;
  readonly quantity: string;
  readonly timeMs: number;
}

export const OPEN_COMMAND_STATES: readonly string[] = ['WANTED', 'PENDING', 'SENT', 'RECEIVED', 'RUNNING'];

export function hasEnded(command: Pick<CommandRecord, 'state'>): boolean {
  return !OPEN_COMMAND_STATES.includes(command.state);
}

/** Longest time, in milliseconds, for which a command that is wanted is put off: between two tries at a stop. */
export const PUT_OFF_MS_MAX = 10_000;

/**
 * How far the clocks of replicas may be apart, in milliseconds. What is further ahead of a clock than this was written before that
 * clock was set back; less may be another replica's time, and a pause that it asked for is kept.
 */
export const CLOCKS_APART_MS_MAX = 10_000;

/**
 * Whether a command that is wanted may be issued at `nowMs`. One that would have to wait longer than any is put off was written
 * before the clock was set back, and has waited enough: a stop must not wait for the clock to catch up.
 */
export function isDue({ createTimeMs }: Pick<CommandRecord, 'createTimeMs'>, nowMs: number): boolean {
  return createTimeMs <= nowMs || createTimeMs > nowMs + PUT_OFF_MS_MAX + CLOCKS_APART_MS_MAX;
}
