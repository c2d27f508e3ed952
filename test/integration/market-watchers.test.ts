import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Freshness, SourceState } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';
import {
  candlesCsv,
  type MarketReplica,
  startMarketReplica,
  takeUpdates,
  wavyCloses,
} from '../harness/market-replica.ts';
import { until } from '../harness/until.ts';

let database: TestDatabase;
let replica: MarketReplica;

beforeAll(async () => {
  database = await createDatabase();
  replica = await startMarketReplica(database.url, {
    env: { STRATEGOS_MARKET_STALE_MS_MIN: '150', STRATEGOS_MARKET_BLIND_MS_MIN: '400' },
  });
  const content = new TextEncoder().encode(candlesCsv(wavyCloses(45_000)));
  await replica.client.importDataset({ name: 'month', content });
});
afterAll(async () => {
  await replica.stop();
  await database[Symbol.asyncDispose]();
});

const MANY = Array.from({ length: 60 }, (_, at) => `ema_${at + 2}`);

function watching(symbol: string) {
  const watch = replica.client.watchIndicators({ interests: [{ cursor: { symbol }, indicatorIds: MANY }] });
  return watch[Symbol.asyncIterator]();
}

function play(symbol: string) {
  return replica.client.startSource({ symbol, kind: { case: 'replay', value: { dataset: 'month', speed: 0 } } });
}

test('a watcher that reads slowly slows a full-speed replay down and misses nothing', { timeout: 60_000 }, async () => {
  const watch = watching('SLOW');
  await watch.next();
  await play('SLOW');
  // Nothing is read until the replay has nowhere to go.
  let [halted, looks] = [0n, 0];
  await until(async () => {
    const { sources } = await replica.client.listSources({ symbol: 'SLOW' });
    const events = sources[0]?.stats?.events ?? 0n;
    looks = events > 0n && events === halted ? looks + 1 : 0;
    halted = events;
    return looks > 25;
  }, 'the replay waits');
  expect(Number(halted)).toBeLessThan(45_000);
  const updates = await takeUpdates({ [Symbol.asyncIterator]: () => watch }, 45_000);
  expect(updates.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 45_000 }, (_, at) => at + 1));
});

test('a watcher that reads nothing is let go, and the replay goes on', { timeout: 60_000 }, async () => {
  const watch = watching('STUCK');
  await watch.next();
  await play('STUCK');
  await until(
    async () => {
      const { sources } = await replica.client.listSources({ symbol: 'STUCK' });
      return sources[0]?.state === SourceState.COMPLETED;
    },
    'the replay has completed',
    30_000,
  );
  let read = 0;
  try {
    for (let next = await watch.next(); next.done !== true; next = await watch.next())
      read += next.value.updates.length;
    expect.unreachable('the watch goes on');
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    expect(`${Code[error.code]} ${reasonOf(error)}`).toBe('ResourceExhausted SLOW_CONSUMER');
  }
  expect(read).toBeLessThan(45_000);
});

test('freshness falls when a source is stopped, and rises with the next event', async () => {
  const kind = {
    case: 'simulation',
    value: { seed: 1n, startPrice: '100', interval: { nanos: 100_000_000 }, speed: 10 },
  } as const;
  const seen: string[] = [];
  const watch = replica.client.watchPrices({ symbols: [{ symbol: 'AGE' }] });
  const ended = (async () => {
    for await (const { freshness } of watch) {
      seen.push(...freshness.map((one) => Freshness[one.freshness] ?? ''));
      if (seen.length >= 5) break;
    }
  })();
  await until(() => seen.length === 1, 'the watch has begun');
  await replica.client.startSource({ symbol: 'AGE', kind });
  await until(() => seen.length === 2, 'prices come');
  await replica.client.stopSource({ source: 'AGE' });
  await until(() => seen.length === 4, 'the prices are old');
  const { sources } = await replica.client.listSources({ symbol: 'AGE' });
  expect(sources[0]?.stats?.freshness).toBe(Freshness.BLIND);
  await replica.client.startSource({ symbol: 'AGE', kind });
  await ended;
  expect(seen).toEqual(['BLIND', 'FRESH', 'STALE', 'BLIND', 'FRESH']);
  await replica.client.stopSource({ source: 'AGE' });
});
