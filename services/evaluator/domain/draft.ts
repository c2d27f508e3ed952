import { createHash } from 'node:crypto';
import type { CompiledStrategy } from './compiled-strategy.ts';
import type {
  ConditionResult,
  EvaluationRecord,
  InstanceData,
  InstanceState,
  IntentRecord,
  IntentType,
  Section,
  Step,
} from './instance.ts';

/** Why something is done: what every record and intent of it says. */
export interface Cause {
  readonly timeMs: number;
  readonly section: Section;
  readonly reason: string;
  readonly message?: string;
  readonly inputs?: readonly ConditionResult[];
}

/** A step in the making: the instance as it is so far, and what has been recorded and asked for. */
export class Draft {
  data: InstanceData;
  readonly strategy: CompiledStrategy;
  /** Of what follows, as a decimal; empty where it is not known. */
  price: string;
  readonly #before: InstanceData;
  readonly #records: EvaluationRecord[] = [];
  readonly #intents: IntentRecord[] = [];

  constructor(data: InstanceData, strategy: CompiledStrategy, price: string) {
    this.data = data;
    this.strategy = strategy;
    this.#before = data;
    this.price = price;
  }

  /** True when there is something to be stored. */
  get changed(): boolean {
    return this.data !== this.#before || this.#records.length > 0 || this.#intents.length > 0;
  }

  /** Moves to another state, and records it. What belonged to the old state alone is forgotten. */
  move(to: InstanceState, cause: Cause, dueMs: number | null = null, intentId = ''): void {
    const from = this.data.state;
    this.data = { ...this.data, state: to, stateMs: cause.timeMs, dueMs, blockedReason: '' };
    this.#record(from, to, cause, false, intentId);
  }

  /** Records a decision that was held back, once while state and reason stay the same. */
  block(cause: Cause): void {
    if (this.data.blockedReason === cause.reason) return;
    this.data = { ...this.data, blockedReason: cause.reason };
    this.note(cause);
  }

  /** Records what did not happen. */
  note(cause: Cause, intentId = ''): void {
    this.#record(this.data.state, this.data.state, cause, true, intentId);
  }

  /** Changes what the instance remembers, without a record. */
  set(changes: Partial<InstanceData>): void {
    this.data = { ...this.data, ...changes };
  }

  /** Asks the session for something; returns the id of the intent. */
  ask(type: IntentType, cause: Cause): string {
    const number = this.data.intents + 1;
    const id = intentIdOf(this.data.instanceId, number);
    this.data = { ...this.data, intents: number };
    this.#intents.push({
      id,
      type,
      section: cause.section,
      reason: cause.reason,
      revision: this.data.revision,
      timeMs: cause.timeMs,
      price: this.price,
      inputs: cause.inputs ?? [],
    });
    return id;
  }

  step(): Step {
    return { instance: this.data, records: this.#records, intents: this.#intents };
  }

  #record(from: InstanceState, to: InstanceState, cause: Cause, blocked: boolean, intentId: string): void {
    this.#records.push({
      from,
      to,
      timeMs: cause.timeMs,
      section: cause.section,
      reason: cause.reason,
      message: cause.message ?? '',
      revision: this.data.revision,
      inputs: cause.inputs ?? [],
      price: this.price,
      blocked,
      intentId,
    });
  }
}

/** The id of an instance's n-th intent, shaped as a UUID: who decides the same again asks for the same again. */
function intentIdOf(instanceId: string, number: number): string {
  const hex = createHash('sha256').update(`${instanceId}/${number}`).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
