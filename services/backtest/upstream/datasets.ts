import { type Client, Code, ConnectError } from '@connectrpc/connect';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { PriceEvent } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { type MarketEvent, readSeries, type Series, SeriesError, type TradeEvent } from '../../market/index.ts';
import { invalidFields, messageOf, notFound, unavailable } from '../../platform/errors.ts';
import type { DataCounts, LoadedData } from '../engine/loaded-data.ts';

/** A whole file. @throws StatusError INVALID_ARGUMENT when it is no series. */
export async function readCsv(csv: Uint8Array): Promise<LoadedData> {
  try {
    const series = await readSeries(csv);
    return { events: series.events, counts: countsOf(series) };
  } catch (thrown) {
    if (!(thrown instanceof SeriesError)) throw thrown;
    throw invalidFields([{ field: 'csv', description: thrown.message }]);
  }
}

/** A dataset of the market service. @throws StatusError NOT_FOUND, UNAVAILABLE. */
export async function readDataset(
  dataset: string,
  symbol: string,
  market: Client<typeof MarketService> | undefined,
  headers: Record<string, string>,
): Promise<LoadedData> {
  if (market === undefined) {
    throw unavailable('market', 'this service knows no market service; name its replicas in STRATEGOS_MARKET_URLS');
  }
  const events: MarketEvent[] = [];
  try {
    const { datasets } = await market.listDatasets({}, { headers });
    const found = datasets.find(({ name }) => name === dataset);
    if (found === undefined) throw notFound('dataset', dataset);
    for await (const batch of market.readDataset({ dataset, symbol }, { headers })) {
      for (const event of batch.events) events.push(marketEvent(event));
    }
    const { stats } = found;
    const counts: DataCounts = {
      rows: found.rows,
      events: BigInt(events.length),
      duplicates: stats?.duplicates ?? 0n,
      outOfOrder: stats?.outOfOrder ?? 0n,
      malformed: stats?.malformed ?? 0n,
      gaps: stats?.gaps ?? 0n,
    };
    return { events, counts };
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    if (thrown.code === Code.NotFound) throw notFound('dataset', dataset);
    if (thrown.code !== Code.Unavailable) throw thrown;
    throw unavailable('market', `the market service cannot be reached: ${messageOf(thrown)}`, thrown);
  }
}

function countsOf({ rows, stats }: Series): DataCounts {
  return {
    rows: BigInt(rows),
    events: BigInt(stats.events),
    duplicates: BigInt(stats.duplicates),
    outOfOrder: BigInt(stats.outOfOrder),
    malformed: BigInt(stats.malformed),
    gaps: BigInt(stats.gaps),
  };
}

function marketEvent({ event, time }: PriceEvent): MarketEvent {
  const timeMs = time === undefined ? 0 : timestampMs(time);
  if (event.case === 'candle') {
    const { openTime, open, high, low, close, volume } = event.value;
    const numbers = {
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
      volume: Number(volume),
    };
    const openTimeMs = openTime === undefined ? 0 : timestampMs(openTime);
    return { kind: 'candle', timeMs, openTimeMs, open, high, low, close, volume, numbers };
  }
  if (event.case === undefined) throw new Error('the market service sent an event that is neither candle nor trade');
  const { price, amount, side } = event.value;
  return {
    kind: 'trade',
    timeMs,
    price,
    amount,
    side: tradeSide(side),
    priceNumber: Number(price),
    amountNumber: Number(amount),
  };
}

function tradeSide(side: string): TradeEvent['side'] {
  return side === 'buy' || side === 'sell' ? side : '';
}
