import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PriceEvent } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { SourceState } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { IndicatorEngine, readSeries } from '../../services/market/index.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';
import {
  candlesCsv,
  type MarketReplica,
  startMarketReplica,
  takePrices,
  takeUpdates,
  wavyCloses,
} from '../harness/market-replica.ts';
import { until } from '../harness/until.ts';

let database: TestDatabase;
const running: MarketReplica[] = [];

beforeEach(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((replica) => replica.stop()));
  await database[Symbol.asyncDispose]();
});

async function start(options: Parameters<typeof startMarketReplica>[1] = {}): Promise<MarketReplica> {
  const replica = await startMarketReplica(database.url, options);
  running.push(replica);
  return replica;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const numbers = (events: readonly { readonly sequence: bigint }[]): number[] =>
  events.map(({ sequence }) => Number(sequence));
const fromTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

function candleOf({ event }: PriceEvent) {
  return event.case === 'candle' ? event.value : undefined;
}

/** One-minute trades, three each, as CSV. */
function tradesCsv(count: number): string {
  const rows = Array.from({ length: count }, (_, at) => `${1_700_000_040_000 + at * 20_000},${100 + (at % 13)},1,buy`);
  return ['timestamp_ms,price,amount,side', ...rows].join('\n');
}

describe('a source that was running when the service stopped', () => {
  test.each([
    ['a replay of candles', candlesCsv(wavyCloses(600)), 60 * 400],
    ['a replay of trades', tradesCsv(600), 20 * 400],
  ])('goes on where it was: %s', { timeout: 60_000 }, async (_what, csv, speed) => {
    const series = await readSeries(bytes(csv));
    const ids = ['price', 'ema_5', 'rsi_3', 'atr_4', 'pump_magnitude_pct_2'];
    const engine = new IndicatorEngine(ids);
    const expected = series.events.map((event) => [...engine.update(event)]);
    const first = await start();
    await first.client.importDataset({ name: 'd', content: bytes(csv) });
    await first.client.startSource({ symbol: 'X', kind: { case: 'replay', value: { dataset: 'd', speed } } });
    const seen = await takeUpdates(
      first.client.watchIndicators({
        interests: [{ cursor: { symbol: 'X', afterTime: { seconds: 0n } }, indicatorIds: ids }],
      }),
      200,
    );
    await first.stop();
    const sequence = seen.at(-1)?.sequence ?? 0n;
    const second = await start();
    const rest = await takeUpdates(
      second.client.watchIndicators({ interests: [{ cursor: { symbol: 'X', sequence }, indicatorIds: ids }] }),
      600 - seen.length,
    );
    expect(numbers([...seen, ...rest])).toEqual(fromTo(1, 600));
    expect([...seen, ...rest].map(({ values }) => values)).toEqual(expected);
    const { sources } = await until(async () => {
      const list = await second.client.listSources({});
      return list.sources[0]?.state === SourceState.COMPLETED && list;
    }, 'the replay has completed');
    expect(sources).toHaveLength(1);
    expect(sources[0]?.stats?.events).toBe(600n);
  });

  test('a simulation makes the candles that it would have made', { timeout: 60_000 }, async () => {
    const kind = {
      case: 'simulation',
      value: { seed: 4n, startPrice: '100', interval: { seconds: 1n }, speed: 100, historyCandles: 60 },
    } as const;
    const first = await start();
    await first.client.startSource({ symbol: 'X', kind });
    const seen = await takePrices(
      first.client.watchPrices({ symbols: [{ symbol: 'X', afterTime: { seconds: 0n } }] }),
      120,
    );
    await first.stop();
    const second = await start();
    const sequence = seen.at(-1)?.sequence ?? 0n;
    const rest = await takePrices(second.client.watchPrices({ symbols: [{ symbol: 'X', sequence }] }), 60);
    const events = [...seen, ...rest];
    expect(numbers(events)).toEqual(fromTo(1, events.length));
    for (const [at, event] of events.entries()) {
      const before = events[at - 1];
      if (before === undefined) continue;
      expect(candleOf(event)?.open).toBe(candleOf(before)?.close);
      expect(Number(event.time?.seconds) - Number(before.time?.seconds)).toBe(1);
    }
  });

  test('what was stored before a kill is had again, and is not told twice to a watcher that resumes', async () => {
    const csv = candlesCsv(wavyCloses(300));
    const first = await start({ replicaId: 'm' });
    await first.client.importDataset({ name: 'd', content: bytes(csv) });
    await first.client.startSource({ symbol: 'X', kind: { case: 'replay', value: { dataset: 'd', speed: 0 } } });
    await until(async () => {
      const { sources } = await first.client.listSources({});
      return sources[0]?.state === SourceState.COMPLETED;
    }, 'the replay has completed');
    await first.stop();
    // As a process leaves it that died with its last hundred events told but not stored.
    await inDatabase(`UPDATE market.source SET state = 'RUNNING', reason = '',
      position = position || '{"sequence": 200, "index": 200}'`);
    await inDatabase('DELETE FROM market.event WHERE sequence > 200');
    await inDatabase('UPDATE market.symbol SET head_sequence = 200');
    const second = await start({ replicaId: 'm' });
    const watch = second.client.watchPrices({ symbols: [{ symbol: 'X', sequence: 250n }] });
    expect(numbers(await takePrices(watch, 50))).toEqual(fromTo(251, 300));
  });
});

async function inDatabase(sql: string): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test('events of the newest 5 000 are kept; a watcher that asks for older ones is told', {
  timeout: 60_000,
}, async () => {
  const first = await start();
  await first.client.importDataset({ name: 'd', content: bytes(candlesCsv(wavyCloses(12_000))) });
  await first.client.startSource({ symbol: 'X', kind: { case: 'replay', value: { dataset: 'd', speed: 0 } } });
  await until(async () => {
    const { sources } = await first.client.listSources({});
    return sources[0]?.state === SourceState.COMPLETED;
  }, 'the replay has completed');
  await first.stop();
  const second = await start();
  const missed: string[] = [];
  const events: PriceEvent[] = [];
  for await (const response of second.client.watchPrices({ symbols: [{ symbol: 'X', sequence: 100n }] })) {
    missed.push(...response.missedSymbols);
    events.push(...response.events);
    if (events.length >= 5_000) break;
  }
  expect(missed).toEqual(['X']);
  expect(numbers(events)).toEqual(fromTo(7_001, 12_000));
});
