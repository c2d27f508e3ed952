import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionMode, Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import type { Adapter } from './adapters/adapter.ts';
import { createPaperAdapter } from './adapters/paper/paper-adapter.ts';
import { createExecutor, type Executor } from './agent.ts';
import { silentLogger, TestPlatform, type TestStream } from './test-platform.ts';

const SYMBOL = 'BTC_USDT';

let platform: TestPlatform;
let directory: string;
let running: Executor[];

beforeEach(async () => {
  platform = await TestPlatform.start();
  directory = mkdtempSync(join(tmpdir(), 'strategos-venue-'));
  running = [];
});

afterEach(async () => {
  for (const executor of running) await executor.stop();
  await platform.stop();
  rmSync(directory, { recursive: true });
});

async function startAgent(adapter: Adapter = createPaperAdapter()): Promise<Executor> {
  const executor = createExecutor({
    credentials: platform.credentials(),
    adapter,
    journalDirectory: directory,
    logger: silentLogger,
    stopGraceMs: 200,
  });
  running.push(executor);
  await executor.start();
  return executor;
}

/** The interests that the agent has told on this stream. */
function interests(stream: TestStream) {
  return stream.frames.flatMap(({ frame }) => (frame.case === 'priceInterest' ? [frame.value.symbols] : []));
}

/** The venue events that it has told, repetitions included. */
function venueEvents(stream: TestStream) {
  return stream.frames.flatMap(({ frame }) => (frame.case === 'venueEvents' ? frame.value.events : []));
}

function candle(stream: TestStream, sequence: number, low: string, close: string): void {
  const time = timestampFromMs(60_000 * sequence);
  stream.send({
    case: 'prices',
    value: {
      prices: [
        {
          symbol: SYMBOL,
          sequence: BigInt(sequence),
          source: 'one',
          time,
          price: { case: 'candle', value: { open: close, high: '101', low, close } },
        },
      ],
    },
  });
}

/** Opens a session and a position with its stop at 95. */
async function enter(stream: TestStream): Promise<void> {
  stream.deliver({
    commandId: 'session',
    attempt: 1,
    sequence: 1n,
    orderingKey: '/s',
    kind: { case: 'startSession', value: { sessionId: 's', mode: SessionMode.PAPER, symbols: [SYMBOL] } },
  });
  await stream.until(() => interests(stream).at(-1)?.[0]);
  candle(stream, 1, '99', '100');
  const value = {
    sessionId: 's',
    symbol: SYMBOL,
    side: Side.BUY,
    quantity: '1',
    referencePrice: '100',
    stopLossPrice: '95',
    referenceTime: timestampFromMs(60_000),
  };
  stream.deliver({
    commandId: 'entry',
    attempt: 1,
    sequence: 2n,
    orderingKey: '/s',
    kind: { case: 'openPosition', value },
  });
  await stream.finished('entry');
}

describe('an agent whose adapter follows prices', () => {
  test('says so, asks for the symbols of its sessions as they come, and on a new link from where it is', async () => {
    await startAgent();
    const stream = await platform.stream(0);
    expect(stream.hello.takesPrices).toBe(true);
    await enter(stream);
    expect(interests(stream)).toMatchObject([[{ symbol: SYMBOL, afterSequence: 0n }]]);
    candle(stream, 2, '98', '99');
    candle(stream, 3, '98', '99');
    // Prices are taken in order: what is answered behind them has seen them.
    stream.deliver({ commandId: 'ping', attempt: 1, sequence: 3n, kind: { case: 'ping', value: {} } });
    await stream.finished('ping');
    stream.send({ case: 'drain', value: { reason: 'deployment' } });
    const next = await platform.stream(1);
    await next.until(() => interests(next)[0]);
    expect(interests(next)).toMatchObject([[{ symbol: SYMBOL, afterSequence: 3n }]]);
  });

  test('tells what its venue did, again on every link until it is acknowledged, and then no more', async () => {
    await startAgent();
    const stream = await platform.stream(0);
    await enter(stream);
    candle(stream, 2, '94', '96');
    await stream.until(() => venueEvents(stream).find(({ event }) => event.case === 'positionClosed'));
    const told = venueEvents(stream);
    expect(told.map(({ number }) => number)).toEqual([1n, 2n, 3n]);
    stream.send({ case: 'drain', value: { reason: 'deployment' } });
    const second = await platform.stream(1);
    await second.until(() => (venueEvents(second).length === 3 ? true : undefined));
    expect(venueEvents(second)).toEqual(told);
    const journalId = told[0]?.journalId ?? '';
    second.send({ case: 'venueEventsAcknowledged', value: { journalId: 'another', numbers: [3n] } });
    second.send({ case: 'venueEventsAcknowledged', value: { journalId, numbers: [1n, 2n] } });
    second.deliver({ commandId: 'ping', attempt: 1, sequence: 9n, kind: { case: 'ping', value: {} } });
    await second.finished('ping');
    await running.pop()?.stop();
    await startAgent();
    const third = await platform.stream(2);
    await third.until(() => venueEvents(third)[0]);
    expect(venueEvents(third)).toEqual(told.slice(2));
  });
});

test('an agent whose adapter has no use for prices neither asks for them nor tells of a venue', async () => {
  await startAgent({
    name: 'plain',
    kinds: ['ping'],
    execute: () => ({ status: 'succeeded' }),
    recover: () => 'unknown',
    status: () => ({}),
  });
  const stream = await platform.stream(0);
  expect(stream.hello.takesPrices).toBe(false);
  // A frame about prices is not for it; what comes behind is.
  candle(stream, 1, '1', '1');
  stream.deliver({ commandId: 'ping', attempt: 1, sequence: 1n, kind: { case: 'ping', value: {} } });
  await stream.finished('ping');
  expect([interests(stream), venueEvents(stream)]).toEqual([[], []]);
});
