import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ChangeType,
  type StrategyChange,
  StrategyChangeSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { WatchChangesResponse } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { createLogger } from '../../services/platform/logger.ts';
import { connectNats } from '../../services/platform/nats/connection.ts';
import { strategyChangedSubject } from '../../services/platform/nats/subject.ts';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { strategyJson, strategyJsonWith } from '../harness/sample-strategies.ts';
import { startStrategyWorld, type StrategyReplica, type StrategyWorld } from '../harness/strategy-world.ts';
import { until } from '../harness/until.ts';

const WRITES = 200;

let world: StrategyWorld;
beforeAll(async () => {
  world = await startStrategyWorld({ replicas: 2 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

type StrategyClient = ReturnType<StrategyReplica['client']>;

function clientOf(accountId: string, replica: number, from = world): StrategyClient {
  const found = from.replicas[replica];
  if (found === undefined) throw new RangeError(`there is no replica ${replica}`);
  return found.client(accountId);
}

const json = (text: string) => ({ case: 'json' as const, value: text });

/** Everything that a watcher of one replica has been sent. */
class Watcher implements AsyncDisposable {
  readonly changes: StrategyChange[] = [];
  checkpoint: Pick<WatchChangesResponse, 'revision' | 'digest'> = { revision: -1n, digest: '' };
  readonly #end = new AbortController();
  readonly #reading: Promise<void>;

  constructor(client: StrategyClient, sinceRevision = 0n) {
    this.#reading = this.#read(client, sinceRevision);
  }

  async #read(client: StrategyClient, sinceRevision: bigint): Promise<void> {
    try {
      for await (const { change, revision, digest } of client.watchChanges(
        { sinceRevision },
        { signal: this.#end.signal },
      )) {
        if (change === undefined) this.checkpoint = { revision, digest };
        else this.changes.push(change);
      }
    } catch (thrown) {
      if (!(thrown instanceof ConnectError) || thrown.code !== Code.Canceled) throw thrown;
    }
  }

  seen(revision: number): Promise<true> {
    return until(() => this.changes.at(-1)?.revision === BigInt(revision) || undefined, `revision ${revision} seen`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#reading;
  }
}

/** The digest that a reader computes who has applied these changes in order. */
class Replayed {
  readonly #live = new Map<string, bigint>();

  apply({ type, strategy }: StrategyChange): string {
    if (strategy === undefined) throw new Error('a change without its strategy');
    if (type === ChangeType.DELETED) this.#live.delete(strategy.id);
    else this.#live.set(strategy.id, strategy.revision);
    const lines = [...this.#live].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, at]) => `${id}:${at}\n`);
    return createHash('sha256').update(lines.join('')).digest('hex');
  }
}

test(`${WRITES} changes at once through two replicas have gap-free numbers, right digests, and no watcher misses one`, async () => {
  const accountId = 'concurrent';
  const clients = [clientOf(accountId, 0), clientOf(accountId, 1)] as const;
  await using early = new Watcher(clients[1]);
  const strategies = await Promise.all(
    Array.from({ length: WRITES / 4 }, async (_, index) => {
      const client = clients[index % 2] ?? clients[0];
      const other = clients[(index + 1) % 2] ?? clients[1];
      const name = `s-${index}`;
      const made = await client.createStrategy({ source: json(strategyJson(name)) });
      const first = await other.updateStrategy({
        strategy: name,
        revision: made.strategy?.revision ?? 0n,
        source: json(strategyJsonWith(name, index + 10)),
      });
      const second = await client.updateStrategy({
        strategy: name,
        revision: first.strategy?.revision ?? 0n,
        source: json(strategyJsonWith(name, index + 1_000)),
      });
      if (index % 5 === 0) await other.deleteStrategy({ strategy: name, force: true });
      else
        await other.updateStrategy({
          strategy: name,
          revision: second.strategy?.revision ?? 0n,
          source: json(strategyJson(name)),
        });
      return made.strategy?.id ?? '';
    }),
  );
  await using late = new Watcher(clients[0], 50n);
  await Promise.all([early.seen(WRITES), late.seen(WRITES)]);
  expect(early.changes.map(({ revision }) => Number(revision))).toEqual(
    Array.from({ length: WRITES }, (_, i) => i + 1),
  );
  expect(late.changes).toEqual(early.changes.slice(50));
  const replayed = new Replayed();
  for (const change of early.changes) {
    expect({ revision: change.revision, digest: change.digest }).toEqual({
      revision: change.revision,
      digest: replayed.apply(change),
    });
  }
  expect(new Set(early.changes.map(({ strategy }) => strategy?.id))).toEqual(new Set(strategies));
  const { checkpoint } = await until(() => (late.checkpoint.revision === 200n ? late : undefined), 'a checkpoint');
  expect(checkpoint.digest).toBe(early.changes.at(-1)?.digest);
  expect(await clients[1].getRollout({})).toMatchObject({ revision: 200n, digest: checkpoint.digest });
});

test('of updates made at once from one revision exactly one is done', async () => {
  const clients = [clientOf('contended', 0), clientOf('contended', 1)] as const;
  const { strategy } = await clients[0].createStrategy({ source: json(strategyJson('x')) });
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const source = json(strategyJsonWith('x', index + 100));
      try {
        const updated = await (clients[index % 2] ?? clients[0]).updateStrategy({
          strategy: 'x',
          revision: strategy?.revision ?? 0n,
          source,
        });
        return String(updated.strategy?.revision);
      } catch (thrown) {
        if (thrown instanceof ConnectError) return reasonOf(thrown);
        throw thrown;
      }
    }),
  );
  expect(outcomes.filter((outcome) => outcome === '2')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'REVISION_STALE')).toHaveLength(19);
});

test('what is committed is published at once and in order, with its strategy, and a reminder tells where the account stands', async () => {
  const accountId = 'published';
  const client = clientOf(accountId, 0);
  const heard: StrategyChange[] = [];
  await using nats = connectNats({ url: world.natsUrl, name: 'test', logger: createLogger('test', 'error') });
  const connected = new Promise<void>((resolve) => nats.onReconnect(resolve));
  nats.subscribe(strategyChangedSubject(accountId), (_subject, data) =>
    heard.push(fromBinary(StrategyChangeSchema, data)),
  );
  await connected;
  const names = Array.from({ length: 20 }, (_, index) => `s-${index}`);
  await until(async () => {
    // The subscription is known to the server when a message comes.
    await client.createStrategy({ source: json(strategyJson(`probe-${heard.length}-${Math.random()}`)) });
    return heard.length > 0;
  }, 'a message');
  const from = Number(heard.at(-1)?.revision);
  await Promise.all(names.map((name) => client.createStrategy({ source: json(strategyJson(name)) })));
  const newest = Number((await client.getRollout({})).revision);
  const revisions = (): number[] =>
    heard.filter(({ strategy }) => strategy !== undefined).map(({ revision }) => Number(revision));
  await until(() => revisions().at(-1) === newest, 'the newest revision');
  expect(revisions().filter((revision) => revision > from)).toEqual(
    Array.from({ length: newest - from }, (_, index) => from + 1 + index),
  );
  const changes = heard.filter(({ strategy }) => strategy !== undefined);
  expect(changes.at(-1)).toMatchObject({ accountId, type: ChangeType.CREATED, strategy: { revision: BigInt(newest) } });
  const reminder = await until(() => heard.find(({ strategy }) => strategy === undefined), 'a reminder');
  expect(reminder).toMatchObject({ accountId, type: ChangeType.UNSPECIFIED });
  const { digest } = await client.getRollout({});
  expect(
    await until(() => heard.find((each) => each.strategy === undefined && each.digest === digest), 'newest'),
  ).toMatchObject({ revision: BigInt(newest) });
  const database = new Client({ connectionString: world.databaseUrl });
  await database.connect();
  try {
    await until(async () => {
      const { rowCount } = await database.query('SELECT 1 FROM strategy.outbox WHERE account_id = $1', [accountId]);
      return rowCount === 0;
    }, 'an empty outbox');
  } finally {
    await database.end();
  }
});

test('a watcher that is ahead of the account is told so', async () => {
  const first = clientOf('ahead', 0).watchChanges({ sinceRevision: 7n })[Symbol.asyncIterator]().next();
  await expect(first).rejects.toThrow('there is no revision 7 yet: the account is at 0');
});

test('an account without strategies has a checkpoint too', async () => {
  await using watcher = new Watcher(clientOf('empty', 1));
  await until(() => watcher.checkpoint.revision === 0n, 'a checkpoint');
  expect(watcher.checkpoint.digest).toBe(createHash('sha256').digest('hex'));
});
