import {
  compileStrategy,
  type EvaluationRecord,
  InstanceMachine,
  type IntentRecord,
  type OutcomeRecord,
  type Step,
} from '../../evaluator/index.ts';
import { IndicatorEngine, type MarketEvent, priceText, type Series } from '../../market/index.ts';
import { entryOrder } from '../../session/index.ts';
import type { Definition } from '../../strategy/index.ts';
import { type Point, ThinnedSeries } from './thinned-series.ts';
import type { Trade } from './trade.ts';
import { type Costs, BacktestVenue, type VenueClose } from './backtest-venue.ts';

/** A strategy that takes part. */
export interface Participant {
  readonly instanceId: string;
  readonly strategyId: string;
  readonly definition: Definition;
  readonly revision: number;
}

export interface BacktestOptions {
  readonly series: Pick<Series, 'events'>;
  readonly symbol: string;
  /** They share the balance, and are asked in this order at each event. */
  readonly participants: readonly Participant[];
  /** Decimal, above 0. */
  readonly initialBalance: string;
  readonly costs: Costs;
}

/** What happens, in the order of market time. */
export type BacktestEvent =
  | { readonly type: 'progress'; readonly percent: number }
  | { readonly type: 'evaluation'; readonly participant: Participant; readonly record: EvaluationRecord }
  | { readonly type: 'trade'; readonly participant: Participant; readonly trade: Trade };

/** The end of a run. Decimals as text. */
export interface BacktestSummary {
  readonly equity: string;
  readonly realisedPnl: string;
  readonly fees: string;
  readonly maxDrawdownPct: string;
  readonly trades: number;
  readonly winningTrades: number;
  readonly openPositions: number;
  readonly transitions: number;
  /** For drawing: extremes are kept. */
  readonly prices: readonly Point[];
  readonly equityCurve: readonly Point[];
}

const PROGRESS_STEPS = 100;
const POINTS_MAX = 2_000;
const POINT_SPAN_MS = 60_000;

interface Runner {
  readonly participant: Participant;
  readonly machine: InstanceMachine;
}

/**
 * Runs strategies over a series on a simulated clock: at each event first what stops and targets it has touched, then the
 * evaluator's rules, then what they ask of the venue, filled at the event's price. The same options give the same events.
 * Yields at least a hundred times, so that whoever drives it can do other things between.
 * @throws UnknownIndicatorError for an indicator that cannot be computed.
 */
export function* runBacktest(options: BacktestOptions): Generator<BacktestEvent, BacktestSummary> {
  const { events } = options.series;
  const compiled = options.participants.map(({ definition }) => compileStrategy(definition));
  const indicatorIds = [...new Set(compiled.flatMap((strategy) => strategy.indicatorIds))];
  const indicators = new IndicatorEngine(indicatorIds);
  const runners = options.participants.map((participant, at): Runner => {
    const strategy = compiled[at];
    if (strategy === undefined) throw new Error('every participant has a strategy');
    const { instanceId, revision } = participant;
    return { participant, machine: new InstanceMachine({ instanceId, strategy, revision, indicatorIds }) };
  });
  const run = new Run(options, new Map(runners.map((runner) => [runner.participant.instanceId, runner])));
  const step = Math.max(1, Math.ceil(events.length / PROGRESS_STEPS));
  let sequence = 0;
  for (const event of events) {
    sequence += 1;
    run.meet(event, sequence);
    const values = indicators.update(event);
    for (const runner of runners) run.decide(runner, event, sequence, values);
    run.measure(event);
    if (run.happened.length > 0) yield* run.happened.splice(0);
    if (sequence % step === 0) yield { type: 'progress', percent: (100 * sequence) / events.length };
  }
  return run.summary();
}

/** What changes while the series goes by. */
class Run {
  readonly happened: BacktestEvent[] = [];
  readonly #venue: BacktestVenue;
  readonly #runners: ReadonlyMap<string, Runner>;
  readonly #prices = new ThinnedSeries(POINTS_MAX, POINT_SPAN_MS);
  readonly #equity = new ThinnedSeries(POINTS_MAX, POINT_SPAN_MS);
  #transitions = 0;

  constructor({ symbol, initialBalance, costs }: BacktestOptions, runners: ReadonlyMap<string, Runner>) {
    this.#venue = new BacktestVenue({ symbol, initialBalance, costs });
    this.#runners = runners;
  }

  /** Stops and targets that the event has touched. */
  meet(event: MarketEvent, sequence: number): void {
    for (const close of this.#venue.meet(event)) {
      const runner = this.#runners.get(close.instanceId);
      if (runner !== undefined) this.#closed(runner, close, '', sequence);
    }
  }

  decide(runner: Runner, event: MarketEvent, sequence: number, values: Float64Array): void {
    const moment = { sequence, timeMs: event.timeMs, price: priceText(event) };
    this.#take(runner, runner.machine.event(moment, values));
  }

  /** After everything at an event: what it was worth. */
  measure(event: MarketEvent): void {
    this.#prices.add(event.timeMs, Number(priceText(event)));
    this.#equity.add(event.timeMs, this.#venue.equityNumber());
  }

  summary(): BacktestSummary {
    return {
      ...this.#venue.totals(),
      transitions: this.#transitions,
      prices: this.#prices.points(),
      equityCurve: this.#equity.points(),
    };
  }

  #take(runner: Runner, { records, intents }: Step): void {
    for (const record of records) {
      if (!record.blocked && record.from !== record.to) this.#transitions += 1;
      this.happened.push({ type: 'evaluation', participant: runner.participant, record });
    }
    for (const intent of intents) this.#carryOut(runner, intent);
  }

  #carryOut(runner: Runner, intent: IntentRecord): void {
    if (intent.type === 'ENTER') this.#enter(runner, intent);
    else if (intent.type === 'EXIT') this.#exit(runner, intent);
  }

  #enter(runner: Runner, intent: IntentRecord): void {
    const { definition, instanceId } = runner.participant;
    const order = entryOrder(definition, this.#venue.balance(), intent.price, this.#venue.freeMargin());
    const outcome =
      'rejected' in order
        ? { rejected: order.message }
        : this.#venue.open({ instanceId, order, price: intent.price, timeMs: intent.timeMs });
    if ('rejected' in outcome) {
      this.#tell(runner, {
        type: 'NOT_OPENED',
        intentId: intent.id,
        section: 'venue',
        reason: 'rejected',
        ...momentOf(intent),
        message: outcome.rejected,
      });
      return;
    }
    this.happened.push({ type: 'trade', participant: runner.participant, trade: outcome.trade });
    const { entryPrice: price, quantity } = outcome.trade;
    this.#tell(runner, {
      type: 'OPENED',
      intentId: intent.id,
      section: 'venue',
      reason: 'filled',
      ...momentOf(intent),
      price,
      quantity,
    });
  }

  #exit(runner: Runner, intent: IntentRecord): void {
    const reason = intent.section ?? 'session';
    const close = this.#venue.close({
      instanceId: runner.participant.instanceId,
      price: intent.price,
      timeMs: intent.timeMs,
      reason,
    });
    if (close !== undefined) this.#closed(runner, close, intent.id);
  }

  #closed(runner: Runner, { trade, section }: VenueClose, intentId: string, sequence?: number): void {
    this.happened.push({ type: 'trade', participant: runner.participant, trade });
    if (trade.exit === undefined) throw new Error(`trade ${trade.id} was closed without an exit`);
    this.#tell(runner, {
      type: 'CLOSED',
      intentId,
      section,
      reason: intentId === '' ? trade.exit.reason : 'filled',
      message: '',
      price: trade.exit.price,
      quantity: trade.quantity,
      timeMs: trade.exit.timeMs,
      ...(sequence === undefined ? {} : { sequence }),
    });
  }

  #tell(runner: Runner, outcome: OutcomeRecord): void {
    this.#take(runner, runner.machine.outcome(outcome));
  }
}

/** The moment and price of an answer that comes at once. */
function momentOf({ timeMs, price }: IntentRecord): Pick<OutcomeRecord, 'timeMs' | 'price' | 'quantity' | 'message'> {
  return { timeMs, price, quantity: '', message: '' };
}
