import type {
  ActivationRecord,
  CommandRecord,
  OutcomeRecord,
  PositionRecord,
  SessionRecord,
  SignalRecord,
} from './records.ts';
import { mayStep, type SessionState } from './session-state.ts';

/**
 * What is loaded of a session under its lock: itself, all activations, and of signals, positions and commands those that are
 * not over, with those that the caller asked for.
 */
export interface Loaded {
  readonly session: SessionRecord;
  readonly activations: readonly ActivationRecord[];
  readonly signals: readonly SignalRecord[];
  readonly positions: readonly PositionRecord[];
  readonly commands: readonly CommandRecord[];
}

/** One line for watchers. */
export interface Change {
  readonly number: number;
  readonly kind: 'SESSION' | 'SIGNAL' | 'POSITION';
  readonly subjectId: string;
}

type Patch<T> = Partial<{ -readonly [K in keyof T]: T[K] }>;

/** Those in a Map that have been written, in the order of their first writing. */
class Kept<T> {
  readonly all = new Map<string, T>();
  readonly #written = new Set<string>();
  readonly #keyOf: (item: T) => string;

  constructor(items: readonly T[], keyOf: (item: T) => string) {
    this.#keyOf = keyOf;
    for (const item of items) this.all.set(keyOf(item), item);
  }

  put(item: T): void {
    this.all.set(this.#keyOf(item), item);
    this.#written.add(this.#keyOf(item));
  }

  written(): T[] {
    return [...this.#written].flatMap((key) => {
      const item = this.all.get(key);
      return item === undefined ? [] : [item];
    });
  }
}

/** A session that is being changed: decisions write here, and the store writes what was written, in one transaction. */
export class Draft {
  readonly nowMs: number;
  readonly #activations: Kept<ActivationRecord>;
  readonly #signals: Kept<SignalRecord>;
  readonly #positions: Kept<PositionRecord>;
  readonly #commands: Kept<CommandRecord>;
  readonly #outcomes: OutcomeRecord[] = [];
  readonly #changed = new Map<string, Omit<Change, 'number'>>();
  #session: SessionRecord;
  #dirty = false;

  constructor(loaded: Loaded, nowMs: number) {
    this.nowMs = nowMs;
    this.#session = loaded.session;
    this.#activations = new Kept(loaded.activations, (each) => each.instanceId);
    this.#signals = new Kept(loaded.signals, (each) => each.id);
    this.#positions = new Kept(loaded.positions, (each) => each.id);
    this.#commands = new Kept(loaded.commands, (each) => each.requestId);
  }

  get session(): SessionRecord {
    return this.#session;
  }

  get activations(): ActivationRecord[] {
    return [...this.#activations.all.values()];
  }

  get signals(): SignalRecord[] {
    return [...this.#signals.all.values()];
  }

  get positions(): PositionRecord[] {
    return [...this.#positions.all.values()];
  }

  get commands(): CommandRecord[] {
    return [...this.#commands.all.values()];
  }

  activation(instanceId: string): ActivationRecord | undefined {
    return this.#activations.all.get(instanceId);
  }

  position(id: string): PositionRecord | undefined {
    return this.#positions.all.get(id);
  }

  command(requestId: string): CommandRecord | undefined {
    return this.#commands.all.get(requestId);
  }

  setSession(patch: Patch<SessionRecord>): void {
    if (!differs(this.#session, patch)) return;
    this.#session = { ...this.#session, ...patch };
    this.#dirty = true;
    this.#note('SESSION', this.#session.id);
  }

  /** @throws Error for a step that the session's life does not have: a defect of the caller. */
  step(state: SessionState, reason: string): void {
    const { state: from } = this.#session;
    if (from === state) return;
    if (!mayStep(from, state)) throw new Error(`session ${this.#session.id} cannot go from ${from} to ${state}`);
    const startTimeMs = state === 'ACTIVE' ? (this.#session.startTimeMs ?? this.nowMs) : this.#session.startTimeMs;
    const over = state === 'STOPPED' || state === 'FAILED' || state === 'COMPLETED';
    this.setSession({ state, reason, startTimeMs, ...(over ? { stopTimeMs: this.nowMs } : {}) });
  }

  addActivation(activation: ActivationRecord): void {
    this.#activations.put(activation);
    this.#note('SESSION', this.#session.id);
  }

  setActivation(instanceId: string, patch: Patch<ActivationRecord>): void {
    const activation = this.#activations.all.get(instanceId);
    if (activation === undefined || !differs(activation, patch)) return;
    this.#activations.put({ ...activation, ...patch, updateTimeMs: this.nowMs });
    this.#note('SESSION', this.#session.id);
  }

  putSignal(signal: SignalRecord): void {
    this.#signals.put({ ...signal, updateTimeMs: this.nowMs });
    this.#note('SIGNAL', signal.id);
  }

  putPosition(position: PositionRecord): void {
    const before = this.#positions.all.get(position.id);
    this.#positions.put({ ...position, updateTimeMs: this.nowMs });
    if (isVisible(position) || (before !== undefined && isVisible(before))) this.#note('POSITION', position.id);
  }

  setPosition(id: string, patch: Patch<PositionRecord>): void {
    const position = this.#positions.all.get(id);
    if (position !== undefined && differs(position, patch)) this.putPosition({ ...position, ...patch });
  }

  setSignal(id: string, patch: Patch<SignalRecord>): void {
    const signal = this.#signals.all.get(id);
    if (signal !== undefined && differs(signal, patch)) this.putSignal({ ...signal, ...patch });
  }

  /** Wants a command, once: a request id that is known is left as it is. It is issued in `delayMs` at the earliest. */
  want(command: Pick<CommandRecord, 'requestId' | 'purpose' | 'subjectId' | 'wish'>, delayMs = 0): void {
    const { executorId, accountId, id, haltId } = this.#session;
    if (executorId === null || this.#commands.all.has(command.requestId)) return;
    this.#commands.put({
      ...command,
      accountId,
      sessionId: id,
      haltId: command.purpose === 'HALT' ? haltId : null,
      executorId,
      state: 'WANTED',
      commandId: '',
      reason: '',
      message: '',
      cancelWanted: false,
      createTimeMs: this.nowMs + delayMs,
      finishTimeMs: null,
    });
  }

  setCommand(requestId: string, patch: Patch<CommandRecord>): void {
    const command = this.#commands.all.get(requestId);
    if (command !== undefined && differs(command, patch)) this.#commands.put({ ...command, ...patch });
  }

  tell(outcome: Omit<OutcomeRecord, 'sessionId'>): void {
    this.#outcomes.push({ ...outcome, sessionId: this.#session.id });
  }

  /** What has to be written, with the numbers of the changes; undefined when nothing has changed. */
  result(): Written | undefined {
    const changes = [...this.#changed.values()].map((change, index) => ({
      ...change,
      number: this.#session.version + index + 1,
    }));
    const written = {
      session:
        this.#dirty || changes.length > 0
          ? [{ ...this.#session, version: this.#session.version + changes.length }]
          : [],
      activations: this.#activations.written(),
      signals: this.#signals.written(),
      positions: this.#positions.written(),
      commands: this.#commands.written(),
      outcomes: this.#outcomes,
      changes,
    };
    return Object.values(written).some((rows) => rows.length > 0) ? written : undefined;
  }

  #note(kind: Change['kind'], subjectId: string): void {
    const key = `${kind} ${subjectId}`;
    // The newest change of a thing comes last, so that a watcher's picture is whole at every step.
    this.#changed.delete(key);
    this.#changed.set(key, { kind, subjectId });
  }
}

/** Rows to be written. */
export interface Written {
  readonly session: readonly SessionRecord[];
  readonly activations: readonly ActivationRecord[];
  readonly signals: readonly SignalRecord[];
  readonly positions: readonly PositionRecord[];
  readonly commands: readonly CommandRecord[];
  readonly outcomes: readonly OutcomeRecord[];
  readonly changes: readonly Change[];
}

/** What others see as a position. */
export function isVisible({ state }: Pick<PositionRecord, 'state'>): boolean {
  return state !== 'ENTERING' && state !== 'NOT_OPENED';
}

/** Held at the venue, or perhaps held. */
export function isHeld({ state }: Pick<PositionRecord, 'state'>): boolean {
  return state === 'OPEN' || state === 'CLOSING' || state === 'UNKNOWN';
}

function differs<T extends object>(item: T, patch: Patch<T>): boolean {
  return Object.entries(patch).some(([key, value]) => {
    const before: unknown = Reflect.get(item, key);
    return before !== value && JSON.stringify(before) !== JSON.stringify(value);
  });
}
