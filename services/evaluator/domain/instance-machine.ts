import {
  bind,
  type CompiledStrategy,
  inputsOf,
  type RuleSectionName,
  sectionsOf,
  truthOf,
} from './compiled-strategy.ts';
import type { FlatConditions } from './conditions.ts';
import {
  type Gate,
  type InstanceData,
  isFlat,
  type MarketMoment,
  newInstance,
  type OutcomeRecord,
  type Step,
} from './instance.ts';
import { onClock, onEvent, type SectionView } from './machine.ts';
import { askExitAgain, onOutcome } from './outcomes.ts';

/** A strategy with the revision that it is. */
export interface StrategyRevision {
  readonly revision: number;
  readonly strategy: CompiledStrategy;
}

export interface MachineOptions {
  readonly instanceId: string;
  readonly strategy: CompiledStrategy;
  readonly revision: number;
  /** Ids of the values that `event` is given, in order; every indicator of the strategy must be there. */
  readonly indicatorIds: readonly string[];
  /** PINNED: edits are ignored. */
  readonly pinned?: boolean;
}

/**
 * One instance on one symbol, without servers: for back-tests. For each event, first apply by `outcome` what the venue's stops
 * and targets did at it (with the event's sequence), then call `event`, then carry out its intents and apply their outcomes
 * before the next event.
 */
export class InstanceMachine {
  readonly #indicatorIds: readonly string[];
  readonly #pinned: boolean;
  #data: InstanceData;
  #running: StrategyRevision;
  #latest: StrategyRevision;
  #flat: FlatConditions;
  #evaluated = { sequence: 0, timeMs: Number.NEGATIVE_INFINITY };
  #price = '';

  /** @throws Error naming an indicator that the values will not hold. */
  constructor(options: MachineOptions) {
    this.#indicatorIds = options.indicatorIds;
    this.#pinned = options.pinned ?? false;
    this.#data = newInstance(options.instanceId, options.revision);
    this.#running = { revision: options.revision, strategy: options.strategy };
    this.#latest = this.#running;
    this.#flat = this.#bound(options.strategy);
  }

  get data(): InstanceData {
    return this.#data;
  }

  /** Offers a newer revision; returns true when it took over at once. */
  revise(latest: StrategyRevision): boolean {
    if (this.#pinned || latest.revision <= this.#latest.revision) return false;
    this.#latest = latest;
    return this.#follow();
  }

  /** Fires timers that are due at `nowMs` although no event has come. */
  clock(nowMs: number): Step {
    return this.#take(onClock(this.#data, this.#running.strategy, nowMs, this.#price));
  }

  /** Looks at one event; `values` in the order of `indicatorIds`, NaN for no value. */
  event(event: MarketMoment, values: Float64Array, gate: Gate = ''): Step {
    const view = (data: InstanceData) => this.#view(data, values);
    const step = onEvent(this.#data, this.#running.strategy, event, view, gate, this.#price);
    this.#evaluated = event;
    this.#price = event.price;
    return this.#take(step);
  }

  /** Applies what became of an intent, or what the venue did by itself. */
  outcome(outcome: OutcomeRecord): Step {
    return this.#take(onOutcome(this.#data, this.#running.strategy, outcome, this.#evaluated));
  }

  /** Asks again for an exit that failed; null when there is none. */
  exitAgain(nowMs: number): Step | null {
    const step = askExitAgain(this.#data, this.#running.strategy, nowMs, this.#price);
    return step === null ? null : this.#take(step);
  }

  #view(data: InstanceData, values: Float64Array): SectionView {
    const { strategy } = this.#running;
    const valueOf = (id: string): number => values[this.#indicatorIds.indexOf(id)] ?? Number.NaN;
    return {
      truth: truthOf(this.#flat, sectionsOf(strategy, data.state), values),
      inputs: (section: RuleSectionName, note?: string) => inputsOf(strategy, section, valueOf, note),
    };
  }

  #take(step: Step): Step {
    this.#data = step.instance;
    this.#follow();
    return { ...step, instance: this.#data };
  }

  #follow(): boolean {
    if (this.#latest.revision === this.#running.revision || !isFlat(this.#data.state)) return false;
    this.#running = this.#latest;
    this.#flat = this.#bound(this.#latest.strategy);
    this.#data = { ...this.#data, revision: this.#latest.revision };
    return true;
  }

  #bound(strategy: CompiledStrategy): FlatConditions {
    return bind(strategy, (id) => {
      const slot = this.#indicatorIds.indexOf(id);
      if (slot < 0) throw new Error(`the values hold no indicator "${id}", which strategy "${strategy.name}" looks at`);
      return slot;
    });
  }
}
