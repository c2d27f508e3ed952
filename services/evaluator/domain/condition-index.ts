import { bind, type CompiledStrategy, sectionsOf, slotsOf, truthOf } from './compiled-strategy.ts';
import type { FlatConditions } from './conditions.ts';
import type { InstanceData, InstanceState } from './instance.ts';

/** What the index needs to know of an instance. */
interface Indexed {
  readonly data: InstanceData;
  readonly strategyKey: string;
  readonly strategy: CompiledStrategy;
}

/** Instances of one strategy revision in one state: their conditions are equal, so one look answers for all. */
export interface Group<M> {
  readonly key: string;
  readonly flat: FlatConditions;
  readonly looked: number;
  readonly slots: readonly number[];
  readonly members: Set<M>;
  /** Sections that hold, as bits. */
  truth: number;
  dirty: boolean;
}

interface Bound {
  readonly flat: FlatConditions;
  groups: number;
}

const SLOTS_FIRST = 16;

/** The values of one symbol's indicators, and which groups of instances look at which. */
export class ConditionIndex<M extends Indexed> {
  readonly #ids: string[] = [];
  readonly #slots = new Map<string, number>();
  readonly #groups = new Map<string, Group<M>>();
  /** Flat conditions by strategy key, shared by the groups of its states. */
  readonly #bound = new Map<string, Bound>();
  readonly #groupsOfSlot: Set<Group<M>>[] = [];
  readonly #holding = new Set<Group<M>>();
  #values = new Float64Array(SLOTS_FIRST).fill(Number.NaN);
  #dirty: Group<M>[] = [];

  get indicatorIds(): readonly string[] {
    return this.#ids;
  }

  /** The slot of an indicator, made when it is new. */
  slotOf(indicatorId: string): number {
    const known = this.#slots.get(indicatorId);
    if (known !== undefined) return known;
    const slot = this.#ids.push(indicatorId) - 1;
    this.#slots.set(indicatorId, slot);
    this.#groupsOfSlot.push(new Set());
    if (slot >= this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2).fill(Number.NaN);
      grown.set(this.#values);
      this.#values = grown;
    }
    return slot;
  }

  /** NaN where there is no value. */
  valueOf(indicatorId: string): number {
    const slot = this.#slots.get(indicatorId);
    return slot === undefined ? Number.NaN : (this.#values[slot] ?? Number.NaN);
  }

  join(member: M): Group<M> {
    const group = this.#group(member);
    group.members.add(member);
    return group;
  }

  leave(member: M, group: Group<M>): void {
    group.members.delete(member);
    if (group.members.size > 0) return;
    this.#groups.delete(group.key);
    this.#holding.delete(group);
    for (const slot of group.slots) this.#groupsOfSlot[slot]?.delete(group);
    const bound = this.#bound.get(member.strategyKey);
    if (bound !== undefined && bound.flat === group.flat && --bound.groups === 0) {
      this.#bound.delete(member.strategyKey);
    }
  }

  /** Takes in the values of an event, and looks again at the groups that one of the changed ones concerns. */
  update(slots: Int32Array, values: ArrayLike<number>): void {
    const held = this.#values;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? 0;
      const value = values[i] ?? Number.NaN;
      const before = held[slot] ?? Number.NaN;
      if (before === value || (Number.isNaN(before) && Number.isNaN(value))) continue;
      held[slot] = value;
      for (const group of this.#groupsOfSlot[slot] ?? []) {
        if (group.dirty) continue;
        group.dirty = true;
        this.#dirty.push(group);
      }
    }
    for (const group of this.#dirty) this.#evaluate(group);
    this.#dirty = [];
  }

  /** No indicator has a value any more. */
  forget(): void {
    this.#values.fill(Number.NaN);
    for (const group of this.#groups.values()) this.#evaluate(group);
  }

  /** The groups of which some section holds, as of the call. */
  holding(): Group<M>[] {
    return [...this.#holding];
  }

  /** What holds for a member in a state, which need not be the one that it has been grouped by. */
  truth(member: M, state: InstanceState): number {
    const group = this.#groups.get(keyOf(member, state));
    if (group !== undefined) return group.truth;
    const looked = sectionsOf(member.strategy, state);
    return truthOf(this.#flatOf(member), looked, this.#values);
  }

  #evaluate(group: Group<M>): void {
    group.dirty = false;
    group.truth = truthOf(group.flat, group.looked, this.#values);
    if (group.truth === 0) this.#holding.delete(group);
    else this.#holding.add(group);
  }

  #group(member: M): Group<M> {
    const key = keyOf(member, member.data.state);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const looked = sectionsOf(member.strategy, member.data.state);
    const flat = this.#flatOf(member);
    const group: Group<M> = {
      key,
      flat,
      looked,
      slots: slotsOf(flat, looked),
      members: new Set(),
      truth: 0,
      dirty: false,
    };
    const bound = this.#bound.get(member.strategyKey);
    if (bound === undefined) this.#bound.set(member.strategyKey, { flat, groups: 1 });
    else bound.groups += 1;
    this.#groups.set(key, group);
    for (const slot of group.slots) this.#groupsOfSlot[slot]?.add(group);
    this.#evaluate(group);
    return group;
  }

  #flatOf(member: M): FlatConditions {
    return this.#bound.get(member.strategyKey)?.flat ?? bind(member.strategy, (id) => this.slotOf(id));
  }
}

function keyOf(member: Indexed, state: InstanceState): string {
  return `${member.strategyKey} ${state}`;
}
