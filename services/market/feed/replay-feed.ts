import type { Clock } from '../../platform/clock.ts';
import { TRADE_CANDLE_MS } from '../domain/minute-candles.ts';
import type { ReplayKind } from '../domain/source.ts';
import type { Series } from '../series/read-series.ts';
import type { Feed } from './feed.ts';
import { BATCH_EVENTS_MAX, paced } from './paced.ts';

/** Plays a series from the event number `index` on. */
export function replayFeed(series: Series, { speed }: ReplayKind, index: number, clock: Clock): Feed {
  const { events } = series;
  return {
    intervalMs: series.intervalMs ?? TRADE_CANDLE_MS,
    waitsForWatchers: speed === 0,
    stats: () => series.stats,
    async *batches(signal) {
      let given = index;
      const batches = speed === 0 ? slices(series, index) : paced(events.slice(index), { speed, clock, signal });
      for await (const batch of batches) {
        given += batch.length;
        yield { events: batch, progressPercent: (100 * given) / events.length };
      }
    },
  };
}

async function* slices({ events }: Series, index: number) {
  for (let at = index; at < events.length; at += BATCH_EVENTS_MAX) yield events.slice(at, at + BATCH_EVENTS_MAX);
}
