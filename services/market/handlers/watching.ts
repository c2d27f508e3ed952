import type { SymbolFreshness } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Clock } from '../../platform/clock.ts';
import { startPulse } from '../../platform/grpc/pulse.ts';
import type { MarketHold } from '../feed/markets.ts';
import type { Item, Subscription } from '../feed/subscription.ts';
import type { SymbolWatch } from '../wire/cursors.ts';
import { symbolFreshnessToProto } from '../wire/event-to-proto.ts';

/** Events of one response. */
const BATCH_EVENTS_MAX = 500;

/** What has gathered for a watcher: the events of one response, in order within each symbol. */
export interface Gathered {
  readonly items: readonly { readonly symbol: string; readonly item: Item }[];
  readonly freshness: SymbolFreshness[];
  readonly missedSymbols: string[];
}

interface Watched {
  readonly symbol: string;
  readonly hold: MarketHold;
  readonly subscription: Subscription;
}

/** How a watcher's symbols are held, and whether it asks for checkpoints. */
export interface Following {
  readonly hold: (symbol: string) => Promise<MarketHold>;
  readonly clock: Clock;
  readonly checkpoints: boolean;
}

/**
 * Follows symbols until the call ends. The first answer tells each symbol's freshness and what was missed; after that there is
 * one whenever something has come, in the turn in which it came, as long as the watcher takes them.
 * To one that asks for checkpoints, an empty one is told when there was nothing for some seconds.
 * @throws RESOURCE_EXHAUSTED (SLOW_CONSUMER) for a watcher that has fallen behind what is kept.
 */
export async function* follow(
  watches: readonly SymbolWatch[],
  { hold, clock, checkpoints }: Following,
  signal: AbortSignal,
): AsyncGenerator<Gathered> {
  const watched: Watched[] = [];
  let wake: (() => void) | undefined;
  let rung = false;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  signal.addEventListener('abort', ring);
  const pulse = startPulse(clock, checkpoints, ring);
  try {
    for (const { symbol, cursor, ids } of watches) {
      const held = await hold(symbol);
      watched.push({ symbol, hold: held, subscription: held.market.watch(cursor, ids, ring) });
    }
    let missed = watched.filter(({ subscription }) => subscription.missed).map(({ symbol }) => symbol);
    let first = 0;
    while (!signal.aborted) {
      rung = false;
      const items: { symbol: string; item: Item }[] = [];
      const freshness: SymbolFreshness[] = [];
      // Each time another symbol goes first, so that a busy one does not hold up the rest.
      for (let at = 0; at < watched.length; at += 1) {
        const { symbol, subscription } = watched[(first + at) % watched.length]!;
        const now = subscription.readFreshness();
        if (now !== undefined) freshness.push(symbolFreshnessToProto(symbol, now));
        if (items.length >= BATCH_EVENTS_MAX) continue;
        for (const item of subscription.read(BATCH_EVENTS_MAX - items.length)) items.push({ symbol, item });
      }
      first += 1;
      if (items.length > 0 || freshness.length > 0 || missed.length > 0 || pulse.isDue) {
        yield { items, freshness, missedSymbols: missed };
        pulse.told();
        missed = [];
      } else if (!rung) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    }
  } finally {
    signal.removeEventListener('abort', ring);
    pulse.stop();
    for (const { hold: held, subscription } of watched) {
      subscription.end();
      held.release();
    }
  }
}
