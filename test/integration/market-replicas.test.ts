import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SourceState } from '../../proto/gen/strategos/market/v1/market_pb.js';
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

async function start(replicaId: string): Promise<MarketReplica> {
  const replica = await startMarketReplica(database.url, { replicaId });
  running.push(replica);
  return replica;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fromTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

test('a watcher at the replica that does not run the source gets every event of a full-speed replay', async () => {
  const [owner, other] = [await start('m-0'), await start('m-1')];
  await owner.client.importDataset({ name: 'd', content: bytes(candlesCsv(wavyCloses(9_000))) });
  const interests = [{ cursor: { symbol: 'X' }, indicatorIds: ['price', 'ema_20', 'rsi_14'] }];
  const near = takeUpdates(owner.client.watchIndicators({ interests }), 9_000);
  const watch = other.client.watchIndicators({ interests })[Symbol.asyncIterator]();
  // Its first answer says that it listens.
  await watch.next();
  await owner.client.startSource({ symbol: 'X', kind: { case: 'replay', value: { dataset: 'd', speed: 0 } } });
  const far = await takeUpdates({ [Symbol.asyncIterator]: () => watch }, 9_000);
  expect(far.map(({ sequence }) => Number(sequence))).toEqual(fromTo(1, 9_000));
  expect(far.map(({ values }) => values)).toEqual((await near).map(({ values }) => values));
});

test('when its replica stops, the other one runs the source on, and watchers there miss nothing', async () => {
  const [owner, other] = [await start('m-0'), await start('m-1')];
  await owner.client.importDataset({ name: 'd', content: bytes(candlesCsv(wavyCloses(3_000))) });
  await owner.client.startSource({ symbol: 'X', kind: { case: 'replay', value: { dataset: 'd', speed: 30_000 } } });
  const events = takePrices(
    other.client.watchPrices({ symbols: [{ symbol: 'X', afterTime: { seconds: 0n } }] }),
    3_000,
  );
  await until(async () => {
    const { sources } = await other.client.listSources({ symbol: 'X' });
    return (sources[0]?.stats?.events ?? 0n) > 300n;
  }, 'some events were brought');
  await owner.stop();
  expect((await events).map(({ sequence }) => Number(sequence))).toEqual(fromTo(1, 3_000));
  const { sources } = await until(async () => {
    const list = await other.client.listSources({ symbol: 'X' });
    return list.sources[0]?.state === SourceState.COMPLETED && list;
  }, 'the replay has completed');
  expect(sources).toHaveLength(1);
});

test('a source is stopped and replaced through the replica that does not run it', async () => {
  const [owner, other] = [await start('m-0'), await start('m-1')];
  const kind = {
    case: 'simulation',
    value: { seed: 1n, startPrice: '100', interval: { seconds: 1n }, speed: 10 },
  } as const;
  const first = await owner.client.startSource({ symbol: 'X', kind });
  const second = await other.client.startSource({ symbol: 'X', kind, replace: true });
  expect(second.source?.id).not.toBe(first.source?.id);
  const stopped = await owner.client.stopSource({ source: 'X' });
  expect(stopped.source).toMatchObject({ id: second.source?.id, state: SourceState.STOPPED, reason: 'stopped' });
  const { sources } = await owner.client.listSources({ symbol: 'X' });
  expect(sources.map(({ state }) => state)).toEqual([SourceState.STOPPED, SourceState.STOPPED]);
});

test('a source whose replica is gone without a word can be stopped, and its numbers are not given again', async () => {
  const owner = await start('m-0');
  const kind = {
    case: 'simulation',
    value: { seed: 1n, startPrice: '100', interval: { seconds: 1n }, speed: 10, historyCandles: 20 },
  } as const;
  await owner.client.startSource({ symbol: 'X', kind });
  await until(async () => ((await owner.client.listSources({})).sources[0]?.stats?.events ?? 0n) >= 20n, 'its history');
  await owner.stop();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(
    "UPDATE market.source SET owner_replica = 'gone', owner_url = 'http://127.0.0.1:1', lease_expire_time = now() + interval '2 s'",
  );
  await client.end();
  const other = await start('m-1');
  const { source } = await other.client.stopSource({ source: 'X' });
  expect(source?.state).toBe(SourceState.STOPPED);
  await other.client.startSource({ symbol: 'X', kind });
  const events = await takePrices(
    other.client.watchPrices({ symbols: [{ symbol: 'X', afterTime: { seconds: 0n } }] }),
    40,
  );
  const numbers = events.map(({ sequence }) => Number(sequence));
  expect(numbers[0]).toBe(1);
  expect(new Set(numbers).size).toBe(numbers.length);
});
