import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DisconnectPolicy } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { PositionCloseReason } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { FakeMarket } from '../harness/fake-market.ts';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { getExecutor, offline, online } from './observe.ts';
import { closings, PaperScene, startPaperStack } from './paper-scene.ts';

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

const STOPPED = `${PositionCloseReason.STOP_LOSS} at 95`;
const hasClosed = (events: Parameters<typeof closings>[0]): boolean => closings(events).length > 0;

describe.concurrent('a price stream that is cut while a low touches the stop', () => {
  test('the agent misses no low: after it is back the stop is found at its own price, and told once', async () => {
    await using scene = await PaperScene.start(stack, market, 'cut-link');
    const entry = await scene.enter(DisconnectPolicy.HOLD, 0);
    scene.proxy.refuse();
    await offline(stack, scene.name);
    scene.candle('94', '100', '99');
    scene.candle('99', '104', '103');
    scene.proxy.heal();
    const [event] = (await scene.eventsUntil(hasClosed)).filter(
      ({ event: { case: kind } }) => kind === 'positionClosed',
    );
    expect(event).toMatchObject({
      openCommandId: entry.id,
      marketTime: timestampFromMs(market.closeMs(2)),
      event: { value: { fill: { price: '95', pnl: '-5', quantity: '1' } } },
    });
    // The platform has not heard of the stop when it decides; its order finds it done.
    const late = await scene.run(scene.exit('103'));
    expect(late.result).toMatchObject({ summary: 'already closed by stop_loss', fills: [{ price: '95', pnl: '-5' }] });
    // One more link, on which everything unacknowledged would be told again.
    const { streamEpoch } = await getExecutor(stack, scene.name);
    scene.proxy.cut();
    await online(stack, scene.name, { afterEpoch: streamEpoch });
    await scene.run(scene.entry());
    const reportsAfter = await scene.eventsUntil((events) => events.filter(isReport).length >= 3);
    expect(closings(reportsAfter)).toEqual([STOPPED]);
  });

  test('an agent that is killed meanwhile finds it when it comes back', async () => {
    await using scene = await PaperScene.start(stack, market, 'killed-agent');
    await scene.enter(DisconnectPolicy.HOLD, 0);
    await scene.agent.kill();
    scene.candle('94', '100', '99');
    await scene.agent.start();
    expect(closings(await scene.eventsUntil(hasClosed))).toEqual([STOPPED]);
  });

  test('an agent that is killed right after the stop tells it once', async () => {
    await using scene = await PaperScene.start(stack, market, 'killed-after');
    await scene.enter(DisconnectPolicy.HOLD, 0);
    // What it says does not arrive any more; what it hears does.
    await until(() => storedAtAgent(scene) === 0, "the entry's report is acknowledged");
    scene.proxy.blackhole('up');
    scene.candle('94', '100', '99');
    // The entry's report is acknowledged and gone; the stop's closing and report are not.
    await until(() => storedAtAgent(scene) === 2, "the stop is on the agent's disk");
    await scene.agent.kill();
    scene.proxy.heal();
    await scene.agent.start();
    await scene.eventsUntil(hasClosed);
    await scene.run(scene.entry());
    const events = await scene.eventsUntil((seen) => seen.filter(isReport).length >= 3);
    expect(closings(events)).toEqual([STOPPED]);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, at) => BigInt(at + 1)));
  });

  test('a close that is decided with the candle that touched the stop comes after it, however late the candle is', async () => {
    await using scene = await PaperScene.start(stack, market, 'slow-prices');
    await scene.enter(DisconnectPolicy.HOLD, 0);
    scene.proxy.delay(150);
    scene.candle('94', '100', '94');
    const closed = await scene.run(scene.exit('94'));
    expect(closed.result).toMatchObject({ summary: 'already closed by stop_loss', fills: [{ price: '95' }] });
  });
});

/** Venue events on the agent's disk that the platform has not acknowledged. */
function storedAtAgent({ agent }: PaperScene): number {
  const database = new DatabaseSync(join(agent.journal, 'paper.db'), { readOnly: true });
  try {
    return Number(database.prepare('SELECT count(*) AS events FROM venue_event').get()?.['events']);
  } finally {
    database.close();
  }
}

function isReport({ event }: { readonly event: { readonly case: string | undefined } }): boolean {
  return event.case === 'equityReport';
}
