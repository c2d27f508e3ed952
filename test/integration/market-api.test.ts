import { gzipSync } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SourceState } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { IndicatorEngine, readSeries } from '../../services/market/index.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
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
let replica: MarketReplica;

beforeAll(async () => {
  database = await createDatabase();
  replica = await startMarketReplica(database.url);
});
afterAll(async () => {
  await replica.stop();
  await database[Symbol.asyncDispose]();
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof ConnectError) return `${Code[thrown.code]} ${reasonOf(thrown)}: ${thrown.rawMessage}`;
    throw thrown;
  }
  return 'not refused';
}

describe('datasets', () => {
  test('are stored with what was left out, and the same again changes nothing', async () => {
    const csv = `${candlesCsv([1, 2, 3])}\n1700000040000,1,1,1,1,1\nnonsense,1,1,1,1,1\n1700000400000,1,3,0,2,1\n1700000400000,2,3,1,2,1`;
    const { dataset } = await replica.client.importDataset({ name: 'faulty', content: bytes(csv) });
    expect(dataset).toMatchObject({ form: 'candles', rows: 7n, interval: { seconds: 60n } });
    expect(dataset?.stats).toMatchObject({ events: 4n, gaps: 3n, duplicates: 0n, outOfOrder: 1n, malformed: 2n });
    const again = await replica.client.importDataset({ name: 'faulty', content: gzipSync(csv) });
    expect(again.dataset?.contentDigest).toBe(dataset?.contentDigest);
    expect(await refusalOf(replica.client.importDataset({ name: 'faulty', content: bytes(candlesCsv([1])) }))).toMatch(
      /^AlreadyExists DATASET_DIFFERS/,
    );
    const { datasets } = await replica.client.listDatasets({});
    expect(datasets.map(({ name }) => name)).toContain('faulty');
  });

  test('are read as the events that a replay gives', async () => {
    await replica.client.importDataset({ name: 'read', content: bytes(candlesCsv(wavyCloses(1_500))) });
    const events = [];
    for await (const batch of replica.client.readDataset({ dataset: 'read', symbol: 'btc_usdt' })) {
      events.push(...batch.events);
    }
    expect(events).toHaveLength(1_500);
    expect(events[0]).toMatchObject({ symbol: 'BTC_USDT', sequence: 1n, event: { case: 'candle' } });
    expect(Number(events[0]?.time?.seconds) * 1_000).toBe(1_700_000_040_000 + 60_000);
  });

  test('what is no series is refused with what it should be', async () => {
    expect(await refusalOf(replica.client.importDataset({ name: 'no', content: bytes('a,b\n1,2') }))).toMatch(
      /InvalidArgument INVALID_FIELD: content: begins with "a,b"; the first line must be timestamp_ms,open/,
    );
    expect(await refusalOf(replica.client.importDataset({ name: 'n o', content: new Uint8Array() }))).toMatch(
      /name: must be 1 to 100 of.*; content: is required/,
    );
  });
});

describe('sources', () => {
  test('a replay at full speed gives every event to a watcher, and indicators as computed at once', async () => {
    const csv = candlesCsv(wavyCloses(12_000));
    await replica.client.importDataset({ name: 'fast', content: bytes(csv) });
    const ids = ['price', 'EMA-20', 'rsi', 'pump_magnitude_pct', 'macd_histogram'];
    const watch = replica.client.watchIndicators({ interests: [{ cursor: { symbol: 'FAST' }, indicatorIds: ids }] });
    const iterator = watch[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.freshness[0]).toMatchObject({ symbol: 'FAST', freshness: 3 });
    await replica.client.startSource({
      symbol: 'fast',
      kind: { case: 'replay', value: { dataset: 'fast', speed: 0 } },
    });
    const updates = await takeUpdates({ [Symbol.asyncIterator]: () => iterator }, 12_000);
    expect(updates.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 12_000 }, (_, at) => at + 1));
    const engine = new IndicatorEngine(ids);
    const series = await readSeries(bytes(csv));
    for (const [at, event] of series.events.entries()) {
      expect(updates[at]?.values).toEqual([...engine.update(event)]);
    }
    const { sources } = await until(async () => {
      const list = await replica.client.listSources({ symbol: 'FAST' });
      return list.sources[0]?.state === SourceState.COMPLETED && list;
    }, 'the replay has completed');
    expect(sources[0]?.stats).toMatchObject({ events: 12_000n, progressPercent: 100 });
  });

  test('one at a time for a symbol, unless it is replaced; numbers go on', async () => {
    const kind = {
      case: 'simulation',
      value: { seed: 1n, startPrice: '100', interval: { seconds: 1n }, speed: 1, historyCandles: 50 },
    } as const;
    const first = await replica.client.startSource({ symbol: 'ONE', kind });
    expect(await refusalOf(replica.client.startSource({ symbol: 'one', kind }))).toMatch(
      /^FailedPrecondition SOURCE_RUNNING: a simulation feeds ONE already/,
    );
    const second = await replica.client.startSource({ symbol: 'ONE', kind, replace: true });
    const events = await takePrices(
      replica.client.watchPrices({ symbols: [{ symbol: 'ONE', afterTime: { seconds: 0n } }] }),
      100,
    );
    expect(events.slice(0, 100).map(({ sequence }) => Number(sequence))).toEqual(
      Array.from({ length: 100 }, (_, at) => at + 1),
    );
    expect(new Set(events.map(({ source }) => source))).toEqual(new Set([first.source?.id, second.source?.id]));
    const { source } = await replica.client.stopSource({ source: 'ONE' });
    expect(source).toMatchObject({ id: second.source?.id, state: SourceState.STOPPED });
    expect((await replica.client.stopSource({ source: second.source?.id ?? '' })).source?.state).toBe(
      SourceState.STOPPED,
    );
  });

  test('bad requests name every bad field', async () => {
    const refused = await refusalOf(
      replica.client.startSource({
        symbol: 'a b',
        kind: { case: 'simulation', value: { startPrice: '-1', speed: Number.NaN, pumpEvery: -1 } },
      }),
    );
    for (const field of ['symbol:', 'simulation.start_price:', 'simulation.speed:', 'simulation.pump_every:']) {
      expect(refused).toContain(field);
    }
    expect(
      await refusalOf(
        replica.client.startSource({ symbol: 'A', kind: { case: 'replay', value: { dataset: 'gone' } } }),
      ),
    ).toMatch(/^NotFound/);
    expect(
      await refusalOf(
        replica.client.startSource({
          symbol: 'A',
          kind: { case: 'exchange', value: { exchange: 'kraken', exchangeSymbol: 'BTC/USD' } },
        }),
      ),
    ).toMatch(/^FailedPrecondition EXCHANGE_UNAVAILABLE: .*STRATEGOS_MARKET_EXCHANGES=on/);
  });
});

test('the catalogue is listed, and ids are checked', async () => {
  const { indicators, checks } = await replica.client.listIndicators({ ids: ['EMA-20', 'pumpmagnitude'] });
  expect(indicators.length).toBeGreaterThan(25);
  expect(checks[0]).toMatchObject({ id: 'EMA-20', normalisedId: 'ema_20', fault: '', warmUp: 20 });
  expect(checks[1]).toMatchObject({ id: 'pumpmagnitude', normalisedId: '' });
  expect(checks[1]?.fault).toMatch(/^"pumpmagnitude" is not known; closest: pump_magnitude_pct/);
  expect(
    await refusalOf(
      takeUpdates(
        replica.client.watchIndicators({ interests: [{ cursor: { symbol: 'X' }, indicatorIds: ['emma'] }] }),
        1,
      ),
    ),
  ).toMatch(/interests\[0\]\.indicator_ids\[0\]: "emma" is not known; closest: ema_20/);
});
