import type { Clock } from '../../platform/clock.ts';
import type { SimulationKind, SourcePosition } from '../domain/source.ts';
import { simulatedCandle, type SimulationSettings } from '../domain/simulation.ts';
import type { CandleEvent } from '../domain/market-event.ts';
import { SeriesCounter } from '../domain/series-stats.ts';
import type { Feed } from './feed.ts';
import { BATCH_EVENTS_MAX, paced } from './paced.ts';

/**
 * Makes prices up from the position on. At the first start the candles of the history lie before now, and the first live one
 * opens now; after a restart the market goes on where it was, as if it had been closed meanwhile.
 */
export function simulationFeed(kind: SimulationKind, position: SourcePosition, clock: Clock): Feed {
  const { intervalMs, historyCandles, speed } = kind;
  const settings: SimulationSettings = {
    seed: BigInt(kind.seed),
    startPrice: kind.startPrice,
    intervalMs,
    pumpEvery: kind.pumpEvery,
    crashEvery: kind.crashEvery,
  };
  const startMs = position.startMs ?? Math.floor(clock.nowMs() / intervalMs) * intervalMs - historyCandles * intervalMs;
  let index = position.index;
  let close = position.lastClose;
  const next = (): CandleEvent => {
    const candle = simulatedCandle(settings, startMs, index, close);
    index += 1;
    close = candle.close;
    return candle;
  };
  const counter = new SeriesCounter();
  return {
    intervalMs,
    waitsForWatchers: false,
    startMs,
    stats: () => counter.stats,
    async *batches(signal) {
      for (let left = historyCandles - index; left > 0 && !signal.aborted; left -= BATCH_EVENTS_MAX) {
        const events = Array.from({ length: Math.min(left, BATCH_EVENTS_MAX) }, next);
        yield { events, progressPercent: 0 };
      }
      // The candle that is open now closes one interval from now.
      const originMs = startMs + index * intervalMs;
      const endless = (function* () {
        for (;;) yield next();
      })();
      for await (const events of paced(endless, { speed, clock, signal, originMs })) {
        yield { events, progressPercent: 0 };
      }
    },
  };
}
