import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StrategyChangeSchema } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { NatsServer } from '../../deploy/local/nats-server.ts';
import { freePort } from '../harness/port.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { connectNats, type NatsLink } from '../../services/platform/nats/connection.ts';
import { strategyChangedSubject } from '../../services/platform/nats/subject.ts';
import { parseDefinition } from '../../services/strategy/domain/parse-definition.ts';
import { strategyBook } from '../../services/strategy/store/strategy-store.ts';
import { Controlled } from '../harness/controlled.ts';
import { theServers } from '../harness/current-run.ts';
import { strategyJson } from '../harness/sample-strategies.ts';
import { startStrategyWorld, type StrategyWorld } from '../harness/strategy-world.ts';
import { until } from '../harness/until.ts';

const ACCOUNT = 'outage';

let nats: Controlled<NatsServer>;
let world: StrategyWorld;
let listener: NatsLink;
let pool: Pool;
/** Revisions of the account as they were published, reminders left out. */
const heard: number[] = [];
/** The newest revision that any message told of. */
let told = 0;

beforeAll(async () => {
  const { directory, natsBinary } = await theServers();
  const stacks = join(directory, 'stacks');
  await mkdir(stacks, { recursive: true });
  const data = dataDirectoryAt(await mkdtemp(join(stacks, 'strategy-')));
  const port = await freePort();
  nats = new Controlled('nats', () => NatsServer.start({ data, port, binary: natsBinary }));
  const { url } = await nats.start();
  world = await startStrategyWorld({ replicas: 2, natsUrl: url });
  pool = new Pool({ connectionString: world.databaseUrl, max: 2 });
  listener = connectNats({ url, name: 'listener', logger: createLogger('listener', 'error') });
  listener.subscribe(strategyChangedSubject(ACCOUNT), (_subject, data_) => {
    const change = fromBinary(StrategyChangeSchema, data_);
    told = Math.max(told, Number(change.revision));
    if (change.strategy !== undefined) heard.push(Number(change.revision));
  });
  await until(() => listener.connected, 'a connected listener');
});
afterAll(async () => {
  await listener.stop();
  await pool.end();
  await world[Symbol.asyncDispose]();
  await nats.stop();
});

function clientOf(replica: number) {
  const found = world.replicas[replica];
  if (found === undefined) throw new RangeError(`there is no replica ${replica}`);
  return found.client(ACCOUNT);
}

async function create(replica: number, name: string): Promise<void> {
  await clientOf(replica).createStrategy({ source: { case: 'json', value: strategyJson(name) } });
}

test('what is changed while NATS is away is stored, seen by watchers, and told when it is back', async () => {
  const seen: number[] = [];
  const end = new AbortController();
  const watching = (async () => {
    for await (const { change } of clientOf(1).watchChanges({}, { signal: end.signal })) {
      if (change !== undefined) seen.push(Number(change.revision));
    }
  })().catch((thrown: unknown) => {
    if (!end.signal.aborted) throw thrown;
  });
  await create(0, 'before');
  await until(() => heard.includes(1), 'the first revision heard');
  await nats.stop();
  await until(() => !listener.connected, 'NATS gone');
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) await create(index % 2, name);
  // Nobody rings: the watcher's own look finds it.
  await until(() => seen.length === 5, 'all revisions watched', 5_000);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(heard.filter((revision) => revision > 1)).toEqual([]);
  await nats.start();
  // Each connects again when it does: who comes late has missed the messages, and learns from a reminder that there were some.
  await until(() => told === 5, 'the newest revision told', 15_000);
  await until(async () => (await pool.query('SELECT 1 FROM strategy.outbox')).rowCount === 0, 'an empty outbox');
  end.abort();
  await watching;
});

test('what a replica committed and did not live to publish is published by another', async () => {
  const { definition } = parseDefinition(strategyJson('orphan'));
  if (definition === undefined) throw new Error('not a strategy');
  // A commit without the publishing that follows it: what a replica leaves that dies right there.
  const order = { accountId: ACCOUNT, id: crypto.randomUUID(), definition, author: 'dead', requestId: undefined };
  const outcome = await strategyBook(pool).create(order);
  const number = outcome.kind === 'written' ? outcome.revision.number : 0;
  expect(number).toBeGreaterThan(0);
  await until(() => heard.includes(number), 'the orphan published', 5_000);
  await until(async () => (await pool.query('SELECT 1 FROM strategy.outbox')).rowCount === 0, 'an empty outbox');
});
