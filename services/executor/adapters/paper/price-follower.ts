import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Price,
  type PriceFreshness,
  PriceState,
} from '../../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Clock } from '../../../platform/clock.ts';
import { symbolKey } from './account.ts';
import { type MarketPrice, marketPrice } from './protection.ts';

/** How long an order waits for the prices up to its decision. */
const WAIT_MS_MAX = 2_000;
/** Prices of a symbol that are remembered for orders whose decision lies behind the newest price. */
const RECENT_MAX = 500;

interface Followed {
  /** Oldest first. */
  readonly recent: MarketPrice[];
  blind: boolean;
  latestMs: number;
  readonly waiting: Set<() => void>;
}

/** What the agent has seen of the platform's prices since it runs, for orders that must not overtake them. */
export class PriceFollower {
  readonly #clock: Clock;
  readonly #followed = new Map<string, Followed>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces the symbols that are followed; `latestMs` is the market time up to which each has been looked at. */
  follow(symbols: ReadonlyMap<string, number | undefined>): void {
    for (const [symbol, { waiting }] of this.#followed) {
      if (symbols.has(symbol)) continue;
      this.#followed.delete(symbol);
      for (const wake of waiting) wake();
    }
    for (const [symbol, latestMs] of symbols) {
      if (this.#followed.has(symbol)) continue;
      const waiting = new Set<() => void>();
      this.#followed.set(symbol, { recent: [], blind: false, latestMs: latestMs ?? Number.NEGATIVE_INFINITY, waiting });
    }
  }

  /** Notes a price that has been looked at. */
  seen(price: MarketPrice): void {
    const followed = this.#followed.get(price.symbol);
    if (followed === undefined) return;
    const before = followed.recent.at(-1);
    if (before !== undefined && price.sequence <= before.sequence) return;
    if (before !== undefined && before.source !== price.source) followed.recent.length = 0;
    followed.recent.push(price);
    if (followed.recent.length > RECENT_MAX) followed.recent.shift();
    followed.latestMs = price.timeMs;
    followed.blind = false;
    for (const wake of followed.waiting) wake();
  }

  freshness({ symbol, state }: PriceFreshness): void {
    const followed = this.#followed.get(symbolKey(symbol));
    if (followed === undefined) return;
    followed.blind = state === PriceState.BLIND;
    for (const wake of followed.waiting) wake();
  }

  /** Prices after a market time that have been looked at already. */
  after(symbol: string, timeMs: number): readonly MarketPrice[] {
    return this.#followed.get(symbolKey(symbol))?.recent.filter((price) => price.timeMs > timeMs) ?? [];
  }

  /**
   * Waits until the symbol's prices up to `timeMs` have been looked at: at most 2 s, and not at all where none can come.
   * Rejects with the signal's reason when it is aborted.
   */
  async caughtUp(symbol: string, timeMs: number, signal: AbortSignal): Promise<void> {
    const followed = this.#followed.get(symbolKey(symbol));
    if (followed === undefined) return;
    const behind = (): boolean =>
      followed.latestMs < timeMs && !followed.blind && this.#followed.get(symbolKey(symbol)) === followed;
    const late = { over: false };
    const cancel = this.#clock.after(WAIT_MS_MAX, () => {
      late.over = true;
      for (const wake of followed.waiting) wake();
    });
    try {
      while (behind() && !late.over) {
        signal.throwIfAborted();
        await turn(followed.waiting, signal);
      }
    } finally {
      cancel();
    }
  }
}

/** Resolves at the next change, or when the signal is aborted. */
function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}

/** A price frame's entry as the venue looks at it; undefined for one that holds no usable price. */
export function readPrice({ symbol, sequence, time, source, price }: Price): MarketPrice | undefined {
  if (time === undefined || price.case === undefined) return undefined;
  const head = { symbol, sequence, source, timeMs: timestampMs(time) };
  if (price.case === 'trade') {
    const { price: at } = price.value;
    return marketPrice(head, { high: at, low: at, last: at });
  }
  const { high, low, close } = price.value;
  return marketPrice(head, { high, low, last: close });
}
