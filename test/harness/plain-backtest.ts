import { Decimal } from 'decimal.js';
import type { Definition } from '../../services/strategy/index.ts';

/** A candle with the values of the indicators that the strategy looks at, as of its close. */
export interface PlainCandle {
  readonly closeMs: number;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface PlainResult {
  /** "closeMs FROM TO section". */
  readonly transitions: readonly string[];
  /** "entryMs entryPrice exitMs exitPrice reason", prices without needless zeros. */
  readonly trades: readonly string[];
}

type Conditions = Definition['s1Signal']['conditions'];

/**
 * A strategy on candles, written down as plainly as the rules are told, with nothing of the evaluator's: one loop, one
 * position, one decision a candle. What the evaluator and the paper venue do is held against it.
 */
export function plainBacktest(definition: Definition, candles: readonly PlainCandle[]): PlainResult {
  const { s1Signal, z1Entry, ze1Close, o1Cancel, emergencyExit } = definition;
  const actions = emergencyExit.actions ?? { cancelPending: true, closePosition: true };
  const timeoutMs = (o1Cancel.timeoutSeconds ?? 0) * 1_000;
  const cancelCooldownMs = (o1Cancel.cooldownMinutes ?? 0) * 60_000;
  const emergencyCooldownMs = (emergencyExit.cooldownMinutes ?? 0) * 60_000;
  const transitions: string[] = [];
  const trades: string[] = [];
  let state = 'MONITORING';
  let signalMs = 0;
  let coolUntilMs = 0;
  let entry: { ms: number; price: string; stop?: Decimal; target?: Decimal } | undefined;

  const holds = (conditions: Conditions, values: PlainCandle['values']): boolean =>
    conditions.length > 0 &&
    conditions.every(({ indicatorId, operator, value }) => {
      const actual = values[indicatorId] ?? Number.NaN;
      if (Number.isNaN(actual)) return false;
      if (operator === '>') return actual > value;
      if (operator === '>=') return actual >= value;
      if (operator === '<') return actual < value;
      if (operator === '<=') return actual <= value;
      return operator === '==' ? actual === value : actual !== value;
    });
  const go = (to: string, ms: number, section: string): void => {
    transitions.push(`${ms} ${state} ${to} ${section}`);
    state = to;
  };
  const leave = (ms: number, price: string, reason: string): void => {
    if (entry === undefined) throw new Error('nothing to leave');
    const [from, to] = [entry.price, price].map((text) => new Decimal(text).toFixed());
    trades.push(`${entry.ms} ${from} ${ms} ${to} ${reason}`);
    entry = undefined;
  };
  const cool = (to: string, ms: number, section: string, cooldownMs: number): void => {
    go(to, ms, section);
    coolUntilMs = ms + cooldownMs;
    if (cooldownMs === 0) go('MONITORING', ms, 'cooldown');
  };

  for (const { closeMs, high, low, close, values } of candles) {
    // What fell due between the last candle and this one happened at its own time.
    if (state === 'SIGNAL_DETECTED' && timeoutMs > 0 && signalMs + timeoutMs < closeMs) {
      cool('SIGNAL_CANCELLED', signalMs + timeoutMs, 'o1_cancel', cancelCooldownMs);
    }
    if ((state === 'SIGNAL_CANCELLED' || state === 'EMERGENCY_EXIT') && coolUntilMs <= closeMs) {
      go('MONITORING', coolUntilMs, 'cooldown');
    }
    if (entry?.stop?.gte(low) === true) {
      leave(closeMs, entry.stop.toFixed(), 'stop_loss');
      go('EXITED', closeMs, 'stop_loss');
      go('MONITORING', closeMs, 'stop_loss');
      continue;
    }
    if (entry?.target?.lte(high) === true) {
      leave(closeMs, entry.target.toFixed(), 'take_profit');
      go('EXITED', closeMs, 'take_profit');
      go('MONITORING', closeMs, 'take_profit');
      continue;
    }
    const emergency = holds(emergencyExit.conditions, values);
    if (state === 'POSITION_ACTIVE') {
      if (emergency && actions.closePosition) {
        leave(closeMs, close, 'emergency_exit');
        cool('EMERGENCY_EXIT', closeMs, 'emergency_exit', emergencyCooldownMs);
      } else if (holds(ze1Close.conditions, values)) {
        leave(closeMs, close, 'ze1_close');
        go('EXITED', closeMs, 'ze1_close');
        go('MONITORING', closeMs, 'ze1_close');
      }
    } else if (state === 'SIGNAL_DETECTED') {
      if (emergency && actions.cancelPending) {
        cool('EMERGENCY_EXIT', closeMs, 'emergency_exit', emergencyCooldownMs);
      } else if (holds(o1Cancel.conditions, values) || (timeoutMs > 0 && closeMs - signalMs >= timeoutMs)) {
        cool('SIGNAL_CANCELLED', closeMs, 'o1_cancel', cancelCooldownMs);
      } else if (holds(z1Entry.conditions, values)) {
        go('ENTRY_EVALUATION', closeMs, 'z1_entry');
        go('POSITION_ACTIVE', closeMs, 'venue');
        entry = { ms: closeMs, price: close, ...exits(definition, close) };
      }
    } else if (state === 'MONITORING' && holds(s1Signal.conditions, values)) {
      go('SIGNAL_DETECTED', closeMs, 's1_signal');
      signalMs = closeMs;
    }
  }
  return { transitions, trades };
}

function exits({ z1Entry }: Definition, close: string): { stop?: Decimal; target?: Decimal } {
  const off = (percent: number): Decimal =>
    new Decimal(percent).div(100).plus(1).times(close).toDecimalPlaces(8, Decimal.ROUND_HALF_UP);
  const { stopLoss, takeProfit } = z1Entry;
  return {
    ...(stopLoss?.enabled === true ? { stop: off(-stopLoss.offsetPercent) } : {}),
    ...(takeProfit?.enabled === true ? { target: off(takeProfit.offsetPercent) } : {}),
  };
}
