import type { Operator } from './strategy-rules.ts';

/** Where an instance stands in its strategy; EXITED is passed through within one step. */
export type InstanceState =
  | 'MONITORING'
  | 'SIGNAL_DETECTED'
  | 'SIGNAL_CANCELLED'
  | 'ENTRY_EVALUATION'
  | 'POSITION_ACTIVE'
  | 'EXITED'
  | 'EMERGENCY_EXIT';

/** A section of a strategy, or what else moved an instance. */
export type Section =
  | 's1_signal'
  | 'o1_cancel'
  | 'z1_entry'
  | 'ze1_close'
  | 'emergency_exit'
  | 'stop_loss'
  | 'take_profit'
  | 'venue'
  | 'cooldown'
  | 'session';

/** One condition as it was looked at; `actual` null when the indicator had no value, with the reason in `note`. */
export interface ConditionResult {
  readonly conditionId: string;
  readonly indicatorId: string;
  readonly operator: Operator;
  readonly value: number;
  readonly actual: number | null;
  readonly result: boolean;
  readonly note: string;
}

/** A transition, or a decision that was held back: then `from` and `to` are the same and `blocked` is true. */
export interface EvaluationRecord {
  readonly from: InstanceState;
  readonly to: InstanceState;
  /** Market time. */
  readonly timeMs: number;
  readonly section: Section;
  readonly reason: string;
  readonly message: string;
  readonly revision: number;
  readonly inputs: readonly ConditionResult[];
  /** Decimal; of a timer between two events that of the earlier one. Empty where it is not known, as before the first event. */
  readonly price: string;
  readonly blocked: boolean;
  /** Empty when nothing was asked of the session. */
  readonly intentId: string;
}

export type IntentType =
  | 'ENTER'
  | 'EXIT'
  | 'CANCEL_ENTRY'
  | 'SIGNAL'
  | 'SIGNAL_CANCELLED'
  | 'INPUT_BLIND'
  | 'INPUT_FRESH';

/** What a step asks of the session. */
export interface IntentRecord {
  readonly id: string;
  readonly type: IntentType;
  readonly section: Section | null;
  readonly reason: string;
  readonly revision: number;
  readonly timeMs: number;
  readonly price: string;
  readonly inputs: readonly ConditionResult[];
}

export type OutcomeType = 'OPENED' | 'NOT_OPENED' | 'CLOSED' | 'NOT_CLOSED';

/** What became of an intent, or of a position by itself. */
export interface OutcomeRecord {
  readonly type: OutcomeType;
  /** Empty when no intent asked for it: a stop, a target, an operator. */
  readonly intentId: string;
  readonly section: Section | null;
  readonly reason: string;
  readonly message: string;
  /** Decimals; empty where there is none. */
  readonly price: string;
  readonly quantity: string;
  /** Market time. */
  readonly timeMs: number;
  /** Of the event that caused it, where that is known: tells events of one millisecond apart. */
  readonly sequence?: number;
}

/** An entry whose answer is awaited. */
export interface EntryAsked {
  readonly intentId: string;
  /** E1 has asked to cancel it since: what is filled nevertheless is closed at once. */
  readonly cancelling: EmergencyAsked | null;
}

interface EmergencyAsked {
  readonly timeMs: number;
  readonly inputs: readonly ConditionResult[];
}

/** An exit whose answer is awaited, or that failed and is to be asked for again. */
export interface ExitAsked {
  readonly intentId: string;
  readonly section: Section;
  readonly reason: string;
  /** Of the decision. */
  readonly timeMs: number;
  readonly inputs: readonly ConditionResult[];
  readonly failures: number;
  readonly failed: boolean;
}

export interface PositionHeld {
  readonly price: string;
  readonly quantity: string;
  readonly entryMs: number;
}

/** An event until which, itself included, no decision is taken, because it has already brought one. */
export interface Quiet {
  readonly timeMs: number;
  readonly sequence: number | null;
}

/** Everything that an instance must not forget. Plain data: a step gives a new one. */
export interface InstanceData {
  readonly instanceId: string;
  readonly state: InstanceState;
  /** When it came into the state, in market time; 0 before the first transition. */
  readonly stateMs: number;
  /** End of the running timeout or cooldown, in market time. */
  readonly dueMs: number | null;
  /** Revision by which it runs. */
  readonly revision: number;
  readonly entry: EntryAsked | null;
  readonly position: PositionHeld | null;
  readonly exit: ExitAsked | null;
  readonly quiet: Quiet | null;
  /** Why a decision was held back in this state; empty when none was. Recorded once. */
  readonly blockedReason: string;
  /** The last entry that was said to have had no effect. */
  readonly refusedIntentId: string;
  /** How many intents it has made; numbers the next. */
  readonly intents: number;
}

/** What a step changes: the instance as it is then, and what has to be recorded and asked for. */
export interface Step {
  readonly instance: InstanceData;
  readonly records: readonly EvaluationRecord[];
  readonly intents: readonly IntentRecord[];
}

/** Why S1 and Z1 are held back; empty when they are not. */
export type Gate = '' | 'stale_inputs' | 'paused';

/** A closed candle or a trade, as far as the machine needs it. */
export interface MarketMoment {
  /** Rises with each event of the symbol. */
  readonly sequence: number;
  /** The candle's close or the trade's time. */
  readonly timeMs: number;
  /** Decimal. */
  readonly price: string;
}

/** True where an edit may take over at once: nothing is open and nothing is asked for. */
export function isFlat(state: InstanceState): boolean {
  return state !== 'ENTRY_EVALUATION' && state !== 'POSITION_ACTIVE';
}

/** A new instance: in MONITORING, as of `revision`. */
export function newInstance(instanceId: string, revision: number): InstanceData {
  return {
    instanceId,
    state: 'MONITORING',
    stateMs: 0,
    dueMs: null,
    revision,
    entry: null,
    position: null,
    exit: null,
    quiet: null,
    blockedReason: '',
    refusedIntentId: '',
    intents: 0,
  };
}
