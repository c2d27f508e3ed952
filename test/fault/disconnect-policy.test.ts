import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CommandState,
  type ExecutorStatus,
  PositionCloseReason,
} from '../../proto/gen/strategos/command/v1/command_pb.js';
import { DisconnectPolicy } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import type { VenueEvent } from '../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { FakeMarket } from '../harness/fake-market.ts';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { logLines } from './agent-log.ts';
import { ended, offline, online, reached } from './observe.ts';
import { closings, PaperScene, startPaperStack } from './paper-scene.ts';

/** What the sessions here ask for. */
const AFTER_MS = 3_500;
/** A cable that is pulled without a word is noticed after 20 s of silence; the rest is room for a busy machine. */
const ACTED_WITHIN_MS = 45_000;

let market: FakeMarket;
let stack: TestStack;

beforeAll(async () => {
  market = await FakeMarket.start();
  stack = await startPaperStack(market);
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await market[Symbol.asyncDispose]();
});

/** Waits for the agent itself to have carried out the session's policy. */
function acted(scene: PaperScene, sessionId = scene.name): Promise<boolean> {
  return until(
    () => logLines(scene.agent, 'disconnect policy carried out').some((line) => line.includes(`"${sessionId}"`)),
    `${sessionId} was acted upon`,
    ACTED_WITHIN_MS,
  );
}

async function statusOf(scene: PaperScene): Promise<ExecutorStatus | undefined> {
  return (await scene.run({ case: 'getStatus', value: {} })).result?.status;
}

function isApplied({ event }: VenueEvent): boolean {
  return event.case === 'disconnectPolicyApplied';
}

/** The policies that were carried out, as told, once `enough` of them are. */
async function applied(scene: PaperScene, enough = 1) {
  const events = await scene.eventsUntil((seen) => seen.filter(isApplied).length >= enough);
  return {
    events,
    policies: events.flatMap(({ event, sessionId }) =>
      event.case === 'disconnectPolicyApplied' ? [{ sessionId, ...event.value }] : [],
    ),
  };
}

describe.concurrent('an agent whose cable is pulled', () => {
  test('FLATTEN closes at the last price, tells it on return, once; HOLD beside it keeps everything', async () => {
    await using scene = await PaperScene.start(stack, market, 'flatten');
    await scene.enter(DisconnectPolicy.FLATTEN, AFTER_MS);
    await scene.enter(DisconnectPolicy.HOLD, AFTER_MS, 'hold');
    scene.candle('101', '104', '103');
    const atTheMarket = { ...scene.key, sessionId: 'hold', quantity: '0.5' };
    await until(async () => (await statusOf(scene))?.equity === '12006', 'the last price has arrived');
    expect((await scene.run({ case: 'closePosition', value: atTheMarket })).result?.fills[0]?.price).toBe('103');
    scene.proxy.blackhole('both');
    await acted(scene);
    scene.proxy.heal();
    const { events, policies } = await applied(scene);
    expect(closings(events)).toEqual([`${PositionCloseReason.DISCONNECT} at 103`]);
    expect(policies).toMatchObject([
      { sessionId: scene.name, policy: DisconnectPolicy.FLATTEN, positionsClosed: 1, ordersCancelled: 2 },
    ]);
    expect(Number(policies[0]?.disconnectedFor?.seconds)).toBeGreaterThanOrEqual(3);
    expect(await statusOf(scene)).toMatchObject({
      openOrders: 2,
      positions: [{ sessionId: 'hold', quantity: '0.5' }],
      sessions: [{ sessionId: scene.name }, { sessionId: 'hold' }],
    });
    expect((await scene.run(scene.exit('1'))).result?.summary).toBe('already closed by disconnect');
  });

  test('FLATTEN counts on over a restart of the agent, and what it did is told once', async () => {
    await using scene = await PaperScene.start(stack, market, 'restarted');
    await scene.enter(DisconnectPolicy.FLATTEN, AFTER_MS);
    scene.proxy.refuse();
    await offline(stack, scene.name);
    await scene.agent.kill();
    await scene.agent.start();
    await acted(scene);
    await scene.agent.kill();
    await scene.agent.start();
    scene.proxy.heal();
    await online(stack, scene.name);
    const { events, policies } = await applied(scene);
    expect(closings(events)).toEqual([`${PositionCloseReason.DISCONNECT} at 100`]);
    expect(policies).toHaveLength(1);
    // The next loss is another one: it finds nothing to close, and says so.
    scene.proxy.refuse();
    await acted(scene);
    scene.proxy.heal();
    expect((await applied(scene, 2)).policies).toMatchObject([{ positionsClosed: 1 }, { positionsClosed: 0 }]);
  });

  test('CANCEL_ORDERS takes back what rests and keeps the position', async () => {
    await using scene = await PaperScene.start(stack, market, 'cancel-orders');
    await scene.enter(DisconnectPolicy.CANCEL_ORDERS, AFTER_MS);
    scene.proxy.refuse();
    await acted(scene);
    scene.proxy.heal();
    const { events, policies } = await applied(scene);
    expect(policies).toMatchObject([{ ordersCancelled: 2, positionsClosed: 0 }]);
    expect(events.filter(({ event }) => event.case === 'ordersCancelled')).toMatchObject([
      { symbol: scene.symbol, event: { value: { orders: 2 } } },
    ]);
    expect(closings(events)).toEqual([]);
    expect(await statusOf(scene)).toMatchObject({ openOrders: 0, positions: [{ quantity: '1' }] });
  });

  test('REDUCE_ONLY refuses the entry that it holds and has not started, and lets the exit go', async () => {
    await using scene = await PaperScene.start(stack, market, 'reduce-only', {
      env: { STRATEGOS_PAPER_LATENCY_MS: '4000', STRATEGOS_CONCURRENCY_MAX: '1' },
    });
    await scene.enter(DisconnectPolicy.REDUCE_ONLY, AFTER_MS);
    const other = { ...scene.key, strategyId: 'y' };
    await scene.run({ case: 'startStrategy', value: { ...other, strategyRevision: 1n } });
    const client = stack.replicaCommandClient(0);
    // The agent does one thing at a time here, and each takes 4 s: the exit's turn comes next, the entry's after that.
    const slow = await scene.issue({ case: 'ping', value: {} });
    await reached(client, slow, [CommandState.RUNNING]);
    const entry = await scene.issue(scene.entry(other));
    const exit = await scene.issue(scene.exit('104'));
    await Promise.all([entry, exit].map((id) => reached(client, id, [CommandState.RECEIVED])));
    scene.proxy.refuse();
    await acted(scene);
    await until(() => storedStage(scene, entry) === 'finished', 'the entry is refused');
    scene.proxy.heal();
    const refused = await ended(client, entry, ACTED_WITHIN_MS);
    expect(CommandState[refused.state]).toBe('REJECTED');
    expect(refused.error).toMatchObject({
      reason: ErrorReason.PRECONDITION_FAILED,
      metadata: { disconnect_policy: 'reduce_only' },
    });
    const done = await ended(client, exit, ACTED_WITHIN_MS);
    expect(done).toMatchObject({ state: CommandState.SUCCEEDED, result: { fills: [{ price: '104' }] } });
    expect((await applied(scene)).policies).toMatchObject([{ policy: DisconnectPolicy.REDUCE_ONLY }]);
  });
});

/** What the agent's journal says of a command. */
function storedStage({ agent }: PaperScene, commandId: string): unknown {
  const database = new DatabaseSync(join(agent.journal, 'journal.db'), { readOnly: true });
  try {
    return database.prepare('SELECT stage FROM entry WHERE command_id = ?').get(commandId)?.['stage'];
  } finally {
    database.close();
  }
}
