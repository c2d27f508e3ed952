import type { Draft } from './draft.ts';
import type { IntentBody } from './intent-body.ts';
import type {
  ActivationRecord,
  ActivationRequest,
  CommandRecord,
  OutcomeRecord,
  PositionRecord,
  SessionRecord,
  SignalRecord,
} from './records.ts';
import type { SessionState } from './session-state.ts';

/** A session with its activations, as it is shown. */
export interface SessionView {
  readonly session: SessionRecord;
  readonly activations: readonly ActivationRecord[];
}

/** Further commands that a change looks at although they are over, by request id. */
export interface ChangeOptions {
  readonly requestIds?: readonly string[];
  readonly openCommandIds?: readonly string[];
  /** Positions as well that were found gone at a price that nobody has said yet. Those with `requestIds` of stops have them. */
  readonly unpriced?: boolean;
}

export interface StoredIntent {
  readonly id: string;
  readonly number: number;
  readonly body: IntentBody;
}

/** An intent as it is handed over, with the session that it names. */
export interface NewIntent {
  readonly sessionId: string;
  readonly body: IntentBody;
}

/** Writes. Everything of one session is changed under the lock of its row. */
export interface SessionBook {
  /** Stores a new session with what `plan` writes. Undefined when the request id was used before. */
  create(session: SessionRecord, plan: (draft: Draft) => void): Promise<boolean>;
  /** Changes a session; undefined when there is none. What is thrown changes nothing. */
  change<T>(sessionId: string, work: (draft: Draft) => T, options?: ChangeOptions): Promise<T | undefined>;
  /** Changes many sessions in the same way, some at a time: when it throws, a part of them may have been changed. */
  changeEach(sessionIds: readonly string[], work: (draft: Draft) => void, options?: ChangeOptions): Promise<void>;
  /**
   * Changes a session by what `plan` activates, once for a request id: a repeat changes nothing and gets what is stored, which may
   * have been asked for with another body. Undefined when `plan` gives nothing, or when there is no session.
   */
  activate(
    accountId: string,
    request: Omit<ActivationRequest, 'instanceIds'>,
    plan: (draft: Draft) => readonly string[] | undefined,
  ): Promise<ActivationRequest | undefined>;
  /** Stores intents and asks for work on their sessions. Repeats are left out; returns the ids of sessions that do not exist. */
  addIntents(accountId: string, intents: readonly NewIntent[]): Promise<readonly string[]>;
  /** Applies the session's open intents in the order of their arrival, unless it is STARTING. Returns how many. */
  applyIntents(sessionId: string, work: (draft: Draft, intent: IntentBody) => void): Promise<number>;
  outcomes(sessionId: string, max: number): Promise<readonly OutcomeRecord[]>;
  outcomesTold(ids: readonly string[]): Promise<void>;
}

/** Reads. */
export interface SessionReader {
  /** A session of whatever account. */
  find(sessionId: string): Promise<SessionView | undefined>;
  get(accountId: string, sessionId: string): Promise<SessionView | undefined>;
  findRequest(accountId: string, requestId: string): Promise<SessionView | undefined>;
  findActivation(accountId: string, requestId: string): Promise<ActivationRequest | undefined>;
  list(accountId: string, filter: SessionFilter, page: Page): Promise<readonly SessionView[]>;
  signals(accountId: string, sessionId: string | undefined, page: Page): Promise<readonly SignalRecord[]>;
  positions(
    accountId: string,
    filter: { readonly sessionId: string | undefined; readonly openOnly: boolean },
    page: Page,
  ): Promise<readonly PositionRecord[]>;
  changes(sessionId: string, afterNumber: number, max: number): Promise<ChangePage>;
  uses(accountId: string, strategyId: string): Promise<readonly ActivationRecord[]>;
  commands(sessionId: string): Promise<readonly CommandRecord[]>;
}

export interface SessionFilter {
  readonly states: readonly SessionState[];
  readonly executorId: string | undefined;
}

/** Newest first, below a place in the list. */
export interface Page {
  readonly below: string | undefined;
  readonly max: number;
}

/** What has changed after a number, each thing as it is now, in the order of its newest change within the page. */
export interface ChangePage {
  readonly entries: readonly ChangeEntry[];
  readonly throughNumber: number;
  readonly more: boolean;
  /** Changes up to this one are no longer kept. */
  readonly removedNumber: number;
}

export type ChangeEntry = { readonly number: number } & (
  | { readonly kind: 'SESSION'; readonly view: SessionView }
  | { readonly kind: 'SIGNAL'; readonly signal: SignalRecord }
  | { readonly kind: 'POSITION'; readonly position: PositionRecord }
);
