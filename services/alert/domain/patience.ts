import { alertKey } from './alert.ts';
import type { Condition, Rule } from './condition.ts';

/** Rules about what is also so for a moment while something starts: these have to hold for a while before anybody is told. */
const HASTY: ReadonlySet<Rule> = new Set<Rule>(['DELIVERY_DEAD', 'MARKET_BLIND', 'SERVICE_DOWN']);

/** Remembers since when conditions are found without a break. Lost with its replica, which makes the next one wait again. */
export class Patience {
  readonly #holdMs: number;
  #sinceMs = new Map<string, number>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes what a look has found, and answers which of it may begin to fire. */
  lasting(conditions: readonly Condition[], nowMs: number): (condition: Condition) => boolean {
    this.#sinceMs = new Map(
      conditions.map((condition) => {
        const key = alertKey(condition);
        return [key, this.#sinceMs.get(key) ?? nowMs];
      }),
    );
    const sinceMs = this.#sinceMs;
    return (condition) =>
      !HASTY.has(condition.rule) || nowMs - (sinceMs.get(alertKey(condition)) ?? nowMs) >= this.#holdMs;
  }
}
