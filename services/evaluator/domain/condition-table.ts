import { compares, OPERATORS } from './conditions.ts';
import type { RuleCondition } from './strategy-rules.ts';

/** A section of a row: its place among the sections of a strategy, and its conditions. */
interface TableSection {
  readonly section: number;
  readonly conditions: readonly RuleCondition[];
}

/** Of a row: how many sections, for each its place and the end of its conditions, and where its first condition is. */
const HEAD_INTS = 8;
const SECTIONS_MAX = 3;
const START = HEAD_INTS - 1;
const FIRST_ROWS = 8;
const FIRST_CONDITIONS = 32;

/**
 * Conditions of many groups, side by side in a few flat columns: looking through thousands of them reads memory from its one
 * end to the other. Rows are taken back and used again; conditions that nobody needs any more are swept out now and then.
 */
export class ConditionTable {
  readonly #free: number[] = [];
  #rows = 0;
  #conditions = 0;
  #unused = 0;
  #heads = new Int32Array(FIRST_ROWS * HEAD_INTS);
  #truths = new Uint8Array(FIRST_ROWS);
  #marked = new Uint8Array(FIRST_ROWS);
  #operators = new Uint8Array(FIRST_CONDITIONS);
  #slots = new Int32Array(FIRST_CONDITIONS);
  #thresholds = new Float64Array(FIRST_CONDITIONS);

  /** A row of at most three sections; gives its number. */
  add(sections: readonly TableSection[], slotOf: (indicatorId: string) => number): number {
    if (sections.length > SECTIONS_MAX) throw new Error(`a state looks at ${sections.length} sections, not at three`);
    const count = sections.reduce((sum, { conditions }) => sum + conditions.length, 0);
    this.#reserve(count);
    const row = this.#free.pop() ?? this.#rows++;
    const head = row * HEAD_INTS;
    this.#heads[head] = sections.length;
    this.#heads[head + START] = this.#conditions;
    for (const [i, { section, conditions }] of sections.entries()) {
      for (const { operator, value, indicatorId } of conditions) {
        this.#operators[this.#conditions] = OPERATORS.indexOf(operator);
        this.#thresholds[this.#conditions] = value;
        this.#slots[this.#conditions] = slotOf(indicatorId);
        this.#conditions += 1;
      }
      this.#heads[head + 1 + 2 * i] = section;
      this.#heads[head + 2 + 2 * i] = this.#conditions;
    }
    this.#truths[row] = 0;
    this.#marked[row] = 0;
    return row;
  }

  remove(row: number): void {
    const head = row * HEAD_INTS;
    const sections = this.#heads[head] ?? 0;
    if (sections > 0) this.#unused += (this.#heads[head + 2 * sections] ?? 0) - (this.#heads[head + START] ?? 0);
    this.#heads[head] = 0;
    this.#truths[row] = 0;
    this.#free.push(row);
    if (this.#unused > FIRST_CONDITIONS && this.#unused > this.#conditions / 2) this.#sweep();
  }

  /** Adds those of `rows` that are not marked yet to `dirty`. */
  mark(rows: readonly number[], dirty: number[]): void {
    const marked = this.#marked;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      if (marked[row] === 1) continue;
      marked[row] = 1;
      dirty.push(row);
    }
  }

  /** Which sections of the row held when it was looked at last, as bits. */
  truthOf(row: number): number {
    return this.#truths[row] ?? 0;
  }

  /** Looks at the row's conditions; gives which sections hold, as bits, and takes its mark off. */
  evaluate(row: number, values: Float64Array): number {
    const heads = this.#heads;
    const head = row * HEAD_INTS;
    const sections = heads[head] ?? 0;
    let at = heads[head + START] ?? 0;
    let truth = 0;
    for (let i = 0; i < sections; i++) {
      const end = heads[head + 2 + 2 * i] ?? 0;
      let holds = end > at;
      for (; holds && at < end; at++) {
        const actual = values[this.#slots[at] ?? 0] ?? Number.NaN;
        holds = compares(this.#operators[at] ?? 0, actual, this.#thresholds[at] ?? 0);
      }
      if (holds) truth |= 1 << (heads[head + 1 + 2 * i] ?? 0);
      at = end;
    }
    this.#truths[row] = truth;
    this.#marked[row] = 0;
    return truth;
  }

  #reserve(conditions: number): void {
    if ((this.#rows + 1) * HEAD_INTS > this.#heads.length) {
      this.#heads = grown(this.#heads, new Int32Array(this.#heads.length * 2));
      this.#truths = grown(this.#truths, new Uint8Array(this.#truths.length * 2));
      this.#marked = grown(this.#marked, new Uint8Array(this.#marked.length * 2));
    }
    while (this.#conditions + conditions > this.#thresholds.length) this.#resize(this.#thresholds.length * 2);
  }

  #resize(length: number): void {
    this.#operators = grown(this.#operators, new Uint8Array(length));
    this.#slots = grown(this.#slots, new Int32Array(length));
    this.#thresholds = grown(this.#thresholds, new Float64Array(length));
  }

  /** Moves the conditions that are in use together. */
  #sweep(): void {
    const [operators, slots, thresholds] = [this.#operators, this.#slots, this.#thresholds];
    this.#operators = new Uint8Array(operators.length);
    this.#slots = new Int32Array(slots.length);
    this.#thresholds = new Float64Array(thresholds.length);
    this.#conditions = 0;
    this.#unused = 0;
    for (let head = 0; head < this.#rows * HEAD_INTS; head += HEAD_INTS) {
      const sections = this.#heads[head] ?? 0;
      if (sections === 0) continue;
      const start = this.#heads[head + START] ?? 0;
      const end = this.#heads[head + 2 * sections] ?? 0;
      const shift = this.#conditions - start;
      this.#operators.set(operators.subarray(start, end), this.#conditions);
      this.#slots.set(slots.subarray(start, end), this.#conditions);
      this.#thresholds.set(thresholds.subarray(start, end), this.#conditions);
      this.#conditions += end - start;
      this.#heads[head + START] = start + shift;
      for (let i = 0; i < sections; i++) {
        const at = head + 2 + 2 * i;
        this.#heads[at] = (this.#heads[at] ?? 0) + shift;
      }
    }
  }
}

function grown<A extends Uint8Array | Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
