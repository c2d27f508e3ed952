import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useEffect, useState } from 'react';
import { Freshness, type PriceEvent } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { Batch } from './batch.ts';
import { markets, NO_DEADLINE } from './services.ts';
import { watch } from './watch.ts';

/** Prices of one symbol in the order of market time. */
export interface PriceSeries {
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly prices: readonly number[];
  readonly freshness: Freshness;
}

const EMPTY: PriceSeries = { times: [], prices: [], freshness: Freshness.UNSPECIFIED };
/** As many as the market service keeps of a symbol. */
const POINTS_MAX = 5_000;

/** Follows the prices of a symbol, beginning with those that are kept. */
export function usePrices(symbol: string): PriceSeries {
  const [series, setSeries] = useState(EMPTY);
  useEffect(() => {
    setSeries(EMPTY);
    if (symbol === '') return undefined;
    let sequence = 0n;
    const batch = new Batch<PriceEvent>((events) => setSeries((before) => withEvents(before, events)), 150);
    const stop = watch({
      open: (signal) => {
        const cursor = sequence === 0n ? { symbol, afterTime: timestampFromMs(0) } : { symbol, sequence };
        return markets.watchPrices({ symbols: [cursor], checkpoints: true }, { signal, ...NO_DEADLINE });
      },
      onMessage: ({ events, freshness }) => {
        for (const event of events) {
          sequence = event.sequence;
          batch.add(event);
        }
        const [told] = freshness;
        if (told !== undefined) setSeries((before) => ({ ...before, freshness: told.freshness }));
      },
    });
    return () => {
      stop();
      batch.drop();
    };
  }, [symbol]);
  return series;
}

function withEvents(series: PriceSeries, events: readonly PriceEvent[]): PriceSeries {
  const times = [...series.times];
  const prices = [...series.prices];
  for (const { time, event } of events) {
    const at = Number(time?.seconds ?? 0n) + (time?.nanos ?? 0) / 1e9;
    const price = Number(event.case === 'candle' ? event.value.close : (event.value?.price ?? Number.NaN));
    if (!Number.isFinite(price)) continue;
    const last = times.at(-1) ?? 0;
    // Another source of the symbol may begin at an earlier market time: it is another series.
    if (at < last) {
      times.length = 0;
      prices.length = 0;
    }
    if (at === last) prices[prices.length - 1] = price;
    else {
      times.push(at);
      prices.push(price);
    }
  }
  return { ...series, times: times.slice(-POINTS_MAX), prices: prices.slice(-POINTS_MAX) };
}
