import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StrategyChangeSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { createLogger } from '../../platform/logger.ts';
import type { ChangedAccount, OutboxKey, Revision } from '../domain/strategy-book.ts';
import { Relay } from './relay.ts';

/** An outbox without a database: what was committed, and whether it can be asked. */
class FakeOutbox {
  rows: Revision[] = [];
  accounts: (ChangedAccount & { recent: boolean })[] = [];
  broken = false;

  unpublished(): Promise<readonly Revision[]> {
    return this.broken ? Promise.reject(new Error('away')) : Promise.resolve([...this.rows]);
  }

  remove(keys: readonly OutboxKey[]): Promise<void> {
    if (this.broken) return Promise.reject(new Error('away'));
    this.rows = this.rows.filter((row) => !keys.some((key) => key.number === row.number));
    return Promise.resolve();
  }

  changedAccounts(withinMs: number | undefined, afterId: string): Promise<readonly ChangedAccount[]> {
    return Promise.resolve(
      this.accounts.filter(({ id, recent }) => id > afterId && (recent || withinMs === undefined)),
    );
  }
}

class FakeNats {
  connected = true;
  readonly sent: string[] = [];
  #reconnected: () => void = () => undefined;

  publish(_subject: string, data: Uint8Array): boolean {
    if (!this.connected) return false;
    const { accountId, revision, strategy } = fromBinary(StrategyChangeSchema, data);
    this.sent.push(`${accountId} ${revision}${strategy === undefined ? ' reminder' : ''}`);
    return true;
  }

  onReconnect(callback: () => void): () => void {
    this.#reconnected = callback;
    return () => undefined;
  }

  back(): void {
    this.connected = true;
    this.#reconnected();
  }
}

function revisionAt(number: number): Revision {
  return {
    accountId: 'main',
    number,
    type: 'CREATED',
    strategyId: 's',
    definition: undefined,
    json: '{}',
    author: 'a',
    digest: 'd',
    createMs: 0,
    timeMs: 0,
  };
}

let clock: ManualClock;
let outbox: FakeOutbox;
let nats: FakeNats;
let rung: string[];
let relay: Relay;
beforeEach(() => {
  clock = new ManualClock();
  outbox = new FakeOutbox();
  nats = new FakeNats();
  rung = [];
  relay = new Relay({
    outbox,
    nats,
    clock,
    logger: createLogger('test', 'silent'),
    unpublished: (accountId) => rung.push(accountId),
  });
  relay.start();
});
afterEach(() => relay.stop());

/** Lets `ms` pass, sweep by sweep, each to its end. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the relay', () => {
  test('publishes what was committed at once, and takes it out of the outbox', async () => {
    outbox.rows = [revisionAt(1), revisionAt(2)];
    relay.committed(revisionAt(1));
    relay.committed(revisionAt(2));
    expect(nats.sent).toEqual(['main 1', 'main 2']);
    await relay.stop();
    expect(outbox.rows).toEqual([]);
    expect(rung).toEqual([]);
  });

  test('rings at home for what it cannot publish, and publishes it in order when NATS is back', async () => {
    nats.connected = false;
    outbox.rows = [revisionAt(1), revisionAt(2)];
    relay.committed(revisionAt(1));
    relay.committed(revisionAt(2));
    expect(rung).toEqual(['main', 'main']);
    await pass(3_000);
    expect(outbox.rows).toHaveLength(2);
    nats.back();
    await pass(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(nats.sent).toEqual(['main 1', 'main 2']);
    expect(outbox.rows).toEqual([]);
  });

  test('goes on after a failure', async () => {
    outbox.broken = true;
    outbox.rows = [revisionAt(1)];
    relay.committed(revisionAt(1));
    await pass(3_000);
    outbox.broken = false;
    await pass(1_000);
    // Published twice, which readers know by its number.
    expect(nats.sent).toEqual(['main 1', 'main 1']);
    expect(outbox.rows).toEqual([]);
  });

  test('reminds of an account once after a change, and of all of them every ten seconds', async () => {
    outbox.accounts = [
      { id: 'busy', revision: 7, digest: 'd', recent: true },
      { id: 'quiet', revision: 3, digest: 'd', recent: false },
    ];
    await pass(9_000);
    expect(nats.sent).toEqual(['busy 7 reminder']);
    await pass(1_000);
    expect(nats.sent).toEqual(['busy 7 reminder', 'busy 7 reminder', 'quiet 3 reminder']);
    outbox.accounts = [{ id: 'busy', revision: 8, digest: 'd', recent: true }];
    await pass(2_000);
    expect(nats.sent.slice(3)).toEqual(['busy 8 reminder']);
  });
});
