import { Engine } from 'json-rules-engine';
import { compileStrategy } from '../../services/evaluator/domain/compiled-strategy.ts';
import { newInstance } from '../../services/evaluator/domain/instance.ts';
import type { Operator, StrategyRules } from '../../services/evaluator/domain/strategy-rules.ts';
import { type Member, SymbolBook } from '../../services/evaluator/domain/symbol-book.ts';

const INDICATORS = ['price', 'rsi_14', 'pump_magnitude_pct'] as const;
const SYMBOLS = 100;
/** Each with thresholds of its own: no two instances of a symbol can share a look at their conditions. */
const INSTANCES_PER_SYMBOL = 100;

/** How fast one way of evaluating is. */
export interface EvaluationResult {
  readonly name: string;
  /** Indicator updates: one event of one symbol, with every indicator changed. */
  readonly updatesPerSecond: number;
  /** Rules of three conditions looked at: updates times instances of the symbol. */
  readonly rulesPerSecond: number;
  /** Instances whose rule came true at least once: the same ones for everybody, or the comparison is worth nothing. */
  readonly fired: string;
}

interface Rule {
  readonly id: string;
  readonly conditions: readonly { readonly indicator: number; readonly operator: Operator; readonly value: number }[];
}

/** Numbers from a seed, evenly from 0 to 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

/** One instance in some hundreds comes true within the run: decisions are rare, looking is not. */
function rules(): Rule[][] {
  const random = seeded(7);
  return Array.from({ length: SYMBOLS }, (_symbol, symbol) =>
    Array.from({ length: INSTANCES_PER_SYMBOL }, (_instance, instance) => ({
      id: `${symbol}/${instance}`,
      conditions: [
        { indicator: 0, operator: '>', value: random() * 0.9 },
        { indicator: 1, operator: '<=', value: 0.02 + random() * 0.1 },
        { indicator: 2, operator: '>=', value: 0.93 + random() * 0.07 },
      ],
    })),
  );
}

/** The values of all events, three a piece, in turn for each symbol. */
function valuesOf(events: number): Float64Array {
  const random = seeded(11);
  return Float64Array.from({ length: events * INDICATORS.length }, random);
}

/** The same events for everybody; the peer, which is slow, gets the first `peerEvents` of them. */
export async function measureEvaluation(events: number, peerEvents: number): Promise<EvaluationResult[]> {
  const given = rules();
  const values = valuesOf(events);
  const limit = measureLoop(given, values, events);
  const ours = measureBook(given, values, events);
  const peer = await measurePeer(given, values, peerEvents);
  const loopOfPeer = measureLoop(given, values, peerEvents);
  if (ours.fired !== limit.fired) throw new Error('the evaluator and the loop decide differently');
  if (peer.fired !== loopOfPeer.fired) throw new Error('the peer and the loop decide differently');
  return [ours, peer, limit];
}

function measureBook(given: readonly (readonly Rule[])[], values: Float64Array, events: number): EvaluationResult {
  const fired = new Set<string>();
  const books = given.map((ofSymbol) => {
    const book = new SymbolBook<Member>((member) => fired.add(member.data.instanceId));
    for (const id of INDICATORS) book.slotOf(id);
    for (const rule of ofSymbol) {
      book.add({
        data: newInstance(rule.id, 1),
        strategyKey: rule.id,
        strategy: compileStrategy(strategyOf(rule)),
        paused: false,
        through: { sequence: 0, timeMs: Number.NEGATIVE_INFINITY },
      });
    }
    return book;
  });
  const slots = Int32Array.from(INDICATORS, (_id, i) => i);
  const beganMs = performance.now();
  for (let event = 0; event < events; event++) {
    const at = event * INDICATORS.length;
    const moment = { sequence: event + 1, timeMs: event * 1_000, price: '1' };
    books[event % SYMBOLS]?.event(moment, slots, values.subarray(at, at + INDICATORS.length));
  }
  return result('strategos', events, performance.now() - beganMs, fired);
}

function strategyOf(rule: Rule): StrategyRules {
  return {
    strategyName: rule.id,
    s1Signal: {
      conditions: rule.conditions.map(({ indicator, operator, value }, i) => ({
        id: `c${i}`,
        indicatorId: INDICATORS[indicator] ?? '',
        operator,
        value,
      })),
    },
  };
}

const PEER_OPERATORS: Readonly<Record<Operator, string>> = {
  '>': 'greaterThan',
  '>=': 'greaterThanInclusive',
  '<': 'lessThan',
  '<=': 'lessThanInclusive',
  '==': 'equal',
  '!=': 'notEqual',
};

async function measurePeer(
  given: readonly (readonly Rule[])[],
  values: Float64Array,
  events: number,
): Promise<EvaluationResult> {
  const engines = given.map((ofSymbol) => {
    const engine = new Engine();
    for (const rule of ofSymbol) {
      const all = rule.conditions.map(({ indicator, operator, value }) => ({
        fact: INDICATORS[indicator] ?? '',
        operator: PEER_OPERATORS[operator],
        value,
      }));
      engine.addRule({ conditions: { all }, event: { type: rule.id } });
    }
    return engine;
  });
  const fired = new Set<string>();
  const beganMs = performance.now();
  for (let event = 0; event < events; event++) {
    const at = event * INDICATORS.length;
    const facts = Object.fromEntries(INDICATORS.map((id, i) => [id, values[at + i]]));
    const run = await engines[event % SYMBOLS]?.run(facts);
    for (const { type } of run?.events ?? []) fired.add(type);
  }
  return result('json-rules-engine', events, performance.now() - beganMs, fired);
}

/** The limit: comparisons by hand over flat arrays, nothing remembered, nothing recorded. */
function measureLoop(given: readonly (readonly Rule[])[], values: Float64Array, events: number): EvaluationResult {
  const thresholds = given.map((ofSymbol) =>
    Float64Array.from(ofSymbol.flatMap(({ conditions }) => conditions.map(({ value }) => value))),
  );
  const fired = new Set<string>();
  const beganMs = performance.now();
  for (let event = 0; event < events; event++) {
    const symbol = event % SYMBOLS;
    const own = thresholds[symbol] ?? new Float64Array(0);
    const at = event * INDICATORS.length;
    const price = values[at] ?? 0;
    const rsi = values[at + 1] ?? 0;
    const pump = values[at + 2] ?? 0;
    for (let i = 0; i < own.length; i += 3) {
      if (price > (own[i] ?? 0) && rsi <= (own[i + 1] ?? 0) && pump >= (own[i + 2] ?? 0))
        fired.add(`${symbol}/${i / 3}`);
    }
  }
  return result('a loop by hand', events, performance.now() - beganMs, fired);
}

function result(name: string, events: number, tookMs: number, fired: ReadonlySet<string>): EvaluationResult {
  const updatesPerSecond = (events / tookMs) * 1_000;
  const rulesPerSecond = updatesPerSecond * INSTANCES_PER_SYMBOL;
  return { name, updatesPerSecond, rulesPerSecond, fired: [...fired].toSorted().join(' ') };
}
