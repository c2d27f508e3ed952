import { type CompiledStrategy, inputsOf, type RuleSectionName } from './compiled-strategy.ts';
import { ConditionIndex, type Group } from './condition-index.ts';
import type { ConditionResult, Gate, InstanceData, MarketMoment, Step } from './instance.ts';
import { onClock, onEvent } from './machine.ts';
import { TimerHeap } from './timer-heap.ts';

/** An instance as it runs on a symbol. `data` changes by `SymbolBook` alone. */
export interface Member {
  data: InstanceData;
  /** Names what runs: instances of one key share one look at their conditions. */
  strategyKey: string;
  strategy: CompiledStrategy;
  paused: boolean;
  /** It has looked at every event up to this one, whatever the book has come to. */
  through: { sequence: number; timeMs: number };
}

/** Told of every step that changes something, once a step. */
export type Told<M extends Member> = (member: M, step: Step) => void;

/**
 * All instances of one symbol over one row of values. An event touches only instances whose conditions in their present state
 * look at something that has changed, or hold already, or whose timer is due. Instances of one strategy in one state are looked
 * at once. No clock, no servers.
 */
export class SymbolBook<M extends Member> {
  readonly #index = new ConditionIndex<M>();
  readonly #members = new Map<string, { member: M; group: Group<M> }>();
  readonly #timers = new TimerHeap<M>();
  readonly #told: Told<M>;
  #at: MarketMoment = { sequence: 0, timeMs: Number.NEGATIVE_INFINITY, price: '' };
  #fresh = true;

  constructor(told: Told<M>) {
    this.#told = told;
  }

  /** The newest event that was looked at; sequence 0 before the first. */
  get at(): MarketMoment {
    return this.#at;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Indicators that some member looks at, or has looked at, in the order of their slots. */
  get indicatorIds(): readonly string[] {
    return this.#index.indicatorIds;
  }

  /** False holds signals and entries back. */
  set fresh(fresh: boolean) {
    this.#fresh = fresh;
  }

  members(): M[] {
    return [...this.#members.values()].map(({ member }) => member);
  }

  get(instanceId: string): M | undefined {
    return this.#members.get(instanceId)?.member;
  }

  /** Takes an instance in. It looks at events after `member.through` alone. */
  add(member: M): void {
    this.#members.set(member.data.instanceId, { member, group: this.#index.join(member) });
    this.#arm(member);
  }

  remove(instanceId: string): void {
    const held = this.#members.get(instanceId);
    if (held === undefined) return;
    this.#index.leave(held.member, held.group);
    this.#members.delete(instanceId);
  }

  /** How far a member has come. */
  throughOf(member: M): { readonly sequence: number; readonly timeMs: number } {
    return this.#at.sequence > member.through.sequence ? this.#at : member.through;
  }

  /** Says what time it is before the first event: whoever begins now has seen everything up to then. */
  begin(timeMs: number): void {
    this.#at = { ...this.#at, timeMs };
    for (const { member } of this.#members.values()) {
      if (!Number.isFinite(member.through.timeMs)) member.through = { sequence: 0, timeMs };
    }
  }

  /** Goes back to an earlier event, for a member that has not seen it yet; all others remember how far they have come. */
  rewind(sequence: number, timeMs: number): void {
    for (const { member } of this.#members.values()) member.through = { ...this.throughOf(member) };
    // The price of then is not known any more.
    this.#at = { sequence, timeMs, price: '' };
  }

  /** Looks at an event. `values[i]` is the value of the indicator in slot `slots[i]`, NaN for none. */
  event(moment: MarketMoment, slots: Int32Array, values: ArrayLike<number>): void {
    this.#index.update(slots, values);
    if (moment.timeMs < this.#at.timeMs) this.#rebase(moment.timeMs - this.#at.timeMs, moment.sequence);
    const { price } = this.#at;
    this.#at = moment;
    const due = this.#due(moment.timeMs);
    for (const member of due) this.#look(member, moment, price);
    for (const group of this.#index.holding()) {
      for (const member of group.members) this.#look(member, moment, price);
    }
    for (const member of due) this.#arm(member);
  }

  /** Fires what is due by the clock. */
  clock(nowMs: number): void {
    for (const member of this.#due(nowMs)) {
      this.#take(member, onClock(member.data, member.strategy, nowMs, this.#at.price));
      this.#arm(member);
    }
  }

  /** Takes over what happened to a member outside of events. */
  apply(member: M, step: Step): void {
    this.#take(member, step);
  }

  /** Lets another revision take over; the state stays. */
  revise(member: M, revision: number, strategyKey: string, strategy: CompiledStrategy): void {
    const held = this.#members.get(member.data.instanceId);
    if (held !== undefined) this.#index.leave(member, held.group);
    member.strategy = strategy;
    member.strategyKey = strategyKey;
    member.data = { ...member.data, revision };
    this.#members.set(member.data.instanceId, { member, group: this.#index.join(member) });
  }

  /** The conditions of a section with the values of the newest event. */
  inputs(member: M, section: RuleSectionName, note = ''): ConditionResult[] {
    return inputsOf(member.strategy, section, (id) => this.#index.valueOf(id), note);
  }

  /** Where an indicator stands, made when it is new. */
  slotOf(indicatorId: string): number {
    return this.#index.slotOf(indicatorId);
  }

  /** Another series has begun, and its time is an earlier one: running timers keep what was left of them. */
  #rebase(offsetMs: number, sequence: number): void {
    for (const { member } of this.#members.values()) {
      if (sequence <= member.through.sequence) continue;
      this.#take(member, { instance: shifted(member.data, offsetMs), records: [], intents: [] });
    }
  }

  #due(timeMs: number): M[] {
    const due: M[] = [];
    for (let timer = this.#timers.take(timeMs); timer !== undefined; timer = this.#timers.take(timeMs)) {
      const { item: member, dueMs } = timer;
      // Timers are never taken back: one whose instance has gone on, or away, is passed over.
      if (member.data.dueMs === dueMs && this.get(member.data.instanceId) === member) due.push(member);
    }
    return due;
  }

  #look(member: M, moment: MarketMoment, priceBefore: string): void {
    if (moment.sequence <= member.through.sequence || this.get(member.data.instanceId) !== member) return;
    member.through = { sequence: moment.sequence, timeMs: moment.timeMs };
    const view = (data: InstanceData) => ({
      truth: this.#index.truth(member, data.state),
      inputs: (section: RuleSectionName, note?: string) => this.inputs(member, section, note),
    });
    this.#take(member, onEvent(member.data, member.strategy, moment, view, this.#gateOf(member), priceBefore));
  }

  #gateOf(member: M): Gate {
    if (member.paused) return 'paused';
    return this.#fresh ? '' : 'stale_inputs';
  }

  #take(member: M, step: Step): void {
    if (step.instance === member.data && step.records.length === 0 && step.intents.length === 0) return;
    const before = member.data;
    member.data = step.instance;
    const held = this.#members.get(member.data.instanceId);
    if (held !== undefined && before.state !== member.data.state) {
      this.#index.leave(member, held.group);
      held.group = this.#index.join(member);
    }
    if (before.dueMs !== member.data.dueMs) this.#arm(member);
    this.#told(member, step);
  }

  #arm(member: M): void {
    if (member.data.dueMs !== null) this.#timers.set(member.data.dueMs, member);
  }
}

/** An instance as if everything that it remembers had happened `offsetMs` later. */
function shifted(data: InstanceData, offsetMs: number): InstanceData {
  const { stateMs, dueMs, entry, exit, position } = data;
  const cancelling = entry?.cancelling ?? null;
  return {
    ...data,
    stateMs: stateMs === 0 ? 0 : stateMs + offsetMs,
    dueMs: dueMs === null ? null : dueMs + offsetMs,
    quiet: null,
    entry:
      entry === null || cancelling === null
        ? entry
        : { ...entry, cancelling: { ...cancelling, timeMs: cancelling.timeMs + offsetMs } },
    exit: exit === null ? null : { ...exit, timeMs: exit.timeMs + offsetMs },
    position: position === null ? null : { ...position, entryMs: position.entryMs + offsetMs },
  };
}
