import { bind, type CompiledStrategy, RULE_SECTIONS, sectionsOf, truthOf } from './compiled-strategy.ts';
import { ConditionTable } from './condition-table.ts';
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
  /** Its row in the table of conditions. */
  readonly row: number;
  /** What it looks at, each once. */
  readonly slots: readonly number[];
  readonly members: Set<M>;
}

const SLOTS_FIRST = 16;

/** The values of one symbol's indicators, and which groups of instances look at which. */
export class ConditionIndex<M extends Indexed> {
  readonly #ids: string[] = [];
  readonly #slots = new Map<string, number>();
  readonly #groups = new Map<string, Group<M>>();
  readonly #groupOfRow: (Group<M> | undefined)[] = [];
  /** Rows by slot. Lists, not sets: they are read with every event and change with transitions alone. */
  readonly #rowsOfSlot: number[][] = [];
  readonly #holding = new Set<Group<M>>();
  readonly #table = new ConditionTable();
  readonly #dirty: number[] = [];
  #values = new Float64Array(SLOTS_FIRST).fill(Number.NaN);

  get indicatorIds(): readonly string[] {
    return this.#ids;
  }

  /** The slot of an indicator, made when it is new. */
  slotOf(indicatorId: string): number {
    const known = this.#slots.get(indicatorId);
    if (known !== undefined) return known;
    const slot = this.#ids.push(indicatorId) - 1;
    this.#slots.set(indicatorId, slot);
    this.#rowsOfSlot.push([]);
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
    const key = keyOf(member, member.data.state);
    const group = this.#groups.get(key) ?? this.#form(key, member);
    group.members.add(member);
    return group;
  }

  leave(member: M, group: Group<M>): void {
    group.members.delete(member);
    if (group.members.size > 0) return;
    this.#groups.delete(group.key);
    this.#holding.delete(group);
    this.#groupOfRow[group.row] = undefined;
    this.#table.remove(group.row);
    for (const slot of group.slots) {
      const rows = this.#rowsOfSlot[slot] ?? [];
      const at = rows.indexOf(group.row);
      const last = rows.pop();
      if (last !== undefined && last !== group.row) rows[at] = last;
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
      this.#table.mark(this.#rowsOfSlot[slot] ?? [], this.#dirty);
    }
    const dirty = this.#dirty;
    for (let i = 0; i < dirty.length; i++) this.#evaluate(dirty[i] ?? 0);
    dirty.length = 0;
  }

  /** The groups of which some section holds, as of the call. */
  holding(): Group<M>[] {
    return this.#holding.size === 0 ? [] : [...this.#holding];
  }

  /** What holds for a member in a state, which need not be the one that it has been grouped by. */
  truth(member: M, state: InstanceState): number {
    const group = this.#groups.get(keyOf(member, state));
    if (group !== undefined) return this.#table.truthOf(group.row);
    const flat = bind(member.strategy, (id) => this.slotOf(id));
    return truthOf(flat, sectionsOf(member.strategy, state), this.#values);
  }

  #evaluate(row: number): void {
    const before = this.#table.truthOf(row);
    const truth = this.#table.evaluate(row, this.#values);
    if (truth === before) return;
    const group = this.#groupOfRow[row];
    if (group === undefined) return;
    if (truth === 0) this.#holding.delete(group);
    else if (before === 0) this.#holding.add(group);
  }

  #form(key: string, { strategy, data }: M): Group<M> {
    const looked = sectionsOf(strategy, data.state);
    const sections = RULE_SECTIONS.flatMap((name, section) =>
      (looked & (1 << section)) === 0 ? [] : [{ section, conditions: strategy.conditions[name] }],
    );
    const row = this.#table.add(sections, (id) => this.slotOf(id));
    const conditions = sections.flatMap((each) => each.conditions);
    const slots = [...new Set(conditions.map(({ indicatorId }) => this.slotOf(indicatorId)))];
    const group: Group<M> = { key, row, slots, members: new Set() };
    this.#groups.set(key, group);
    this.#groupOfRow[row] = group;
    for (const slot of slots) this.#rowsOfSlot[slot]?.push(row);
    this.#evaluate(row);
    return group;
  }
}

function keyOf(member: Indexed, state: InstanceState): string {
  return `${member.strategyKey} ${state}`;
}
