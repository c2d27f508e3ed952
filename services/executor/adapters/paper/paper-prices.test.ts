import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PositionCloseReason } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandDeliverySchema,
  PriceFreshnessSchema,
  PriceSchema,
  PriceState,
} from '../../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { DisconnectPolicy, SessionMode, Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { VenueEvent } from '../../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import { ManualClock } from '../../../platform/clock.ts';
import { silentLogger } from '../../test-platform.ts';
import type { Adapter, AdapterCommand, Outcome } from '../adapter.ts';
import { tagOf } from '../tag.ts';
import { createPaperAdapter, type PaperOptions } from './paper-adapter.ts';

type KindInit = NonNullable<MessageInitShape<typeof CommandDeliverySchema>['kind']>;
type PriceInit = MessageInitShape<typeof PriceSchema>;

const SYMBOL = 'BTC_USDT';
const START_MS = Date.UTC(2024, 0, 1);
const MINUTE_MS = 60_000;

let directory: string;
let clock: ManualClock;
let paper: Adapter;
let notices: string[];
let commands: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-paper-'));
  clock = new ManualClock();
  notices = [];
  commands = 0;
  paper = await openPaper(directory);
});

afterEach(async () => {
  await paper.close?.();
  rmSync(directory, { recursive: true });
});

async function openPaper(folder: string, options: PaperOptions = {}): Promise<Adapter> {
  const made = createPaperAdapter(options);
  await made.open?.({
    logger: silentLogger,
    directory: folder,
    clock,
    notices: {
      interestChanged: () => notices.push('interest'),
      eventsWritten: () => notices.push('events'),
    },
  });
  return made;
}

/** What is on disk at this moment, opened by another adapter, as after the end of the process. */
async function afterCrash<T>(look: (survivor: Adapter) => Promise<T> | T): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'strategos-paper-'));
  cpSync(directory, copy, { recursive: true });
  const survivor = await openPaper(copy);
  try {
    return await look(survivor);
  } finally {
    await survivor.close?.();
    rmSync(copy, { recursive: true });
  }
}

async function run(kind: KindInit, adapter = paper, id = `command-${++commands}`): Promise<Outcome> {
  const { kind: body } = create(CommandDeliverySchema, { kind });
  if (body.case === undefined) throw new Error('the kind is not set');
  const command: AdapterCommand = { id, attempt: 1, body };
  return adapter.execute(command, {
    signal: new AbortController().signal,
    tag: tagOf(id),
    progressWithinMs: undefined,
    nowMs: () => clock.nowMs(),
    progress: () => undefined,
  });
}

/** A session with money that trades the symbol, and its strategy. */
async function startSession(policy = DisconnectPolicy.HOLD, adapter = paper): Promise<void> {
  const value = {
    sessionId: 's',
    mode: SessionMode.PAPER,
    initialBalance: '1000',
    symbols: [SYMBOL],
    disconnectPolicy: policy,
    disconnectAfter: durationFromMs(5_000),
  };
  await run({ case: 'startSession', value }, adapter);
  await run({ case: 'startStrategy', value: { sessionId: 's', strategyId: 'x', symbol: SYMBOL } }, adapter);
}

/** Minute `minute` of the market is over. */
const closeMs = (minute: number): number => START_MS + minute * MINUTE_MS;
const key = { sessionId: 's', strategyId: 'x', symbol: SYMBOL };

const open = (minute: number, over: Extract<KindInit, { case: 'openPosition' }>['value'] = {}): KindInit => ({
  case: 'openPosition',
  value: {
    ...key,
    side: Side.BUY,
    quantity: '1',
    referencePrice: '100',
    referenceTime: timestampFromMs(closeMs(minute)),
    stopLossPrice: '95',
    takeProfitPrice: '110',
    ...over,
  },
});

const close = (minute: number, referencePrice: string): KindInit => ({
  case: 'closePosition',
  value: { ...key, referencePrice, referenceTime: timestampFromMs(closeMs(minute)) },
});

/** The candle that closes with the minute; its sequence is the minute. */
function candle(minute: number, low: string, high: string, last: string, over: PriceInit = {}): PriceInit {
  return {
    symbol: SYMBOL,
    sequence: BigInt(minute),
    time: timestampFromMs(closeMs(minute)),
    source: 'one',
    price: { case: 'candle', value: { open: last, high, low, close: last } },
    ...over,
  };
}

async function prices(...candles: PriceInit[]): Promise<void> {
  await paper.takePrices?.({
    prices: candles.map((price) => create(PriceSchema, price)),
    freshness: [],
    missedSymbols: [],
  });
}

function events(adapter = paper): VenueEvent[] {
  return adapter.venueEvents?.read(0n, 1_000) ?? [];
}

function closedOf(adapter = paper) {
  return events(adapter).flatMap(({ event, ...rest }) =>
    event.case === 'positionClosed' ? [{ ...rest, ...event.value }] : [],
  );
}

/** The worst drawdowns that were told. */
function told(): string[] {
  return events().flatMap(({ event }) => (event.case === 'equityReport' ? [event.value.maxDrawdownPct] : []));
}

describe('a paper position under a stream of prices', () => {
  test('is closed by its stop at its own price, told with the market time, and counted once', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1), paper, 'entry');
    await prices(candle(2, '96', '101', '97'), candle(3, '90', '97', '92'), candle(4, '80', '92', '85'));
    expect(closedOf()).toMatchObject([
      {
        sessionId: 's',
        strategyId: 'x',
        symbol: SYMBOL,
        openCommandId: 'entry',
        marketTime: timestampFromMs(closeMs(3)),
        reason: PositionCloseReason.STOP_LOSS,
        fill: {
          side: Side.SELL,
          quantity: '1',
          price: '95',
          pnl: '-5',
          fee: '0',
          fillTime: timestampFromMs(closeMs(3)),
        },
      },
    ]);
    expect(await paper.status()).toMatchObject({ positions: [], equity: '10995' });
    const reports = events().flatMap(({ event }) => (event.case === 'equityReport' ? [event.value] : []));
    expect(reports.at(-1)).toMatchObject({ equity: '995', balance: '995', peakEquity: '1000', maxDrawdownPct: '0.5' });
  });

  test('the command that comes after the stop succeeds with the fill of the stop', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    await prices(candle(2, '95', '100', '98'));
    for (let again = 0; again < 2; again++) {
      expect(await run(close(2, '98'))).toMatchObject({
        status: 'succeeded',
        result: {
          summary: 'already closed by stop_loss',
          alreadyClosed: { reason: PositionCloseReason.STOP_LOSS },
          fills: [{ price: '95', pnl: '-5' }],
        },
      });
    }
    await prices(candle(4, '99', '101', '100'));
    await run(open(4));
    const closed = await run(close(4, '101'));
    expect(closed).toMatchObject({ result: { fills: [{ price: '101', pnl: '1' }] } });
    expect(closed).not.toHaveProperty('result.alreadyClosed.reason');
    expect(await run(close(4, '101'))).toMatchObject({ status: 'rejected', reason: 'TARGET_UNKNOWN' });
  });

  test('a close waits for the prices up to its decision, so that a stop hit by then comes first', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    const closing = run(close(2, '94'));
    await prices(candle(2, '94', '100', '94'));
    expect(await closing).toMatchObject({
      result: { summary: 'already closed by stop_loss', fills: [{ price: '95' }] },
    });
  });

  test('a close waits two seconds at most, and not at all where no price can come', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    const closing = run(close(2, '94'));
    clock.advance(1_999);
    expect(await Promise.race([closing, Promise.resolve('waits')])).toBe('waits');
    clock.advance(1);
    expect(await closing).toMatchObject({ result: { fills: [{ price: '94' }] } });
    await run(open(1));
    const blind = create(PriceFreshnessSchema, { symbol: SYMBOL, state: PriceState.BLIND });
    await paper.takePrices?.({ prices: [], freshness: [blind], missedSymbols: [] });
    expect(await run(close(9, '96'))).toMatchObject({ result: { fills: [{ price: '96' }] } });
  });

  test('an entry whose decision lies behind the newest price meets the prices in between', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'), candle(2, '94', '100', '96'), candle(3, '96', '120', '119'));
    expect(await run(open(1))).toMatchObject({ status: 'succeeded', result: { fills: [{ price: '100' }] } });
    expect(closedOf()).toMatchObject([{ marketTime: timestampFromMs(closeMs(2)), fill: { price: '95' } }]);
  });

  test('prices that come again change nothing, and another source begins a series of its own', async () => {
    await startSession();
    await prices(candle(5, '99', '101', '100'));
    await run(open(5));
    await prices(candle(5, '1', '101', '100'), candle(4, '1', '101', '100'));
    expect(closedOf()).toEqual([]);
    await prices(candle(6, '94', '100', '96', { source: 'two', time: timestampFromMs(closeMs(1)) }));
    expect(closedOf()).toMatchObject([{ reason: PositionCloseReason.STOP_LOSS }]);
  });

  test('follows the symbols of sessions and of positions that outlive them', async () => {
    expect(paper.priceInterest?.()).toEqual([]);
    await startSession();
    expect(paper.priceInterest?.()).toEqual([{ symbol: SYMBOL }]);
    expect(notices).toContain('interest');
    await prices(candle(7, '99', '101', '100'));
    await run(open(7));
    await run({ case: 'stopSession', value: { sessionId: 's' } });
    expect(paper.priceInterest?.()).toEqual([{ symbol: SYMBOL, afterSequence: 7n }]);
    await prices(candle(8, '94', '100', '96'));
    expect(closedOf()).toHaveLength(1);
    expect(paper.priceInterest?.()).toEqual([]);
  });

  test('tells each full percent of a new worst drawdown, and no step in between', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1, { stopLossPrice: '', takeProfitPrice: '', quantity: '10' }));
    await prices(candle(2, '99', '100', '99'));
    await prices(candle(3, '98.5', '100', '98.5'));
    await prices(candle(4, '99', '100', '99'));
    await prices(candle(5, '97.9', '100', '97.9'));
    expect(told()).toEqual(['0', '1', '2.1']);
  });
});

describe('what the paper venue did by itself', () => {
  test('is neither done nor told when the process ends before it is on disk, and is found again once', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    const before = events().length;
    const written = prices(candle(2, '90', '100', '92'));
    // In memory it has happened; nothing has been written.
    expect(await paper.status()).toMatchObject({ positions: [] });
    expect(events()).toHaveLength(before);
    await afterCrash(async (survivor) => {
      expect(await survivor.status()).toMatchObject({ positions: [{ quantity: '1' }] });
      expect(survivor.priceInterest?.()).toEqual([{ symbol: SYMBOL, afterSequence: 1n }]);
      await survivor.takePrices?.({
        prices: [create(PriceSchema, candle(2, '90', '100', '92'))],
        freshness: [],
        missedSymbols: [],
      });
      expect(closedOf(survivor)).toMatchObject([{ fill: { price: '95' } }]);
    });
    await written;
  });

  test('is told from disk after a crash between the effect and its telling, with the number that it had', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    await prices(candle(2, '90', '100', '92'));
    const before = events();
    await afterCrash(async (survivor) => {
      expect(events(survivor)).toEqual(before);
      expect(await survivor.status()).toMatchObject({ positions: [], equity: '10995' });
    });
    expect(notices).toContain('events');
  });

  test('is numbered without gaps, kept until it is acknowledged, and never renumbered', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    await prices(candle(2, '90', '100', '92'));
    const numbers = events().map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, at) => BigInt(at + 1)));
    await paper.venueEvents?.acknowledge(numbers);
    expect(events()).toEqual([]);
    await paper.close?.();
    paper = await openPaper(directory);
    await run(open(2));
    expect(events().map(({ number }) => number)).toEqual([BigInt(numbers.length + 1)]);
    expect(new Set(events().map(({ journalId }) => journalId)).size).toBe(1);
  });

  test('prices that changed nothing are saved now and then, and with everything else', async () => {
    await startSession();
    await prices(candle(1, '99', '101', '100'));
    await prices(candle(2, '99', '101', '100'));
    expect(await afterCrash((survivor) => survivor.priceInterest?.())).toMatchObject([{ afterSequence: 1n }]);
    clock.advance(1_000);
    await prices(candle(3, '99', '101', '100'));
    expect(await afterCrash((survivor) => survivor.priceInterest?.())).toMatchObject([{ afterSequence: 3n }]);
    await prices(candle(4, '99', '101', '100'));
    await run(open(4));
    expect(await afterCrash((survivor) => survivor.priceInterest?.())).toMatchObject([{ afterSequence: 4n }]);
  });
});

describe('a disconnect policy', () => {
  test('flattens at the last price, once until the platform is back, also after a restart', async () => {
    await startSession(DisconnectPolicy.FLATTEN);
    await prices(candle(1, '99', '101', '100'));
    await run(open(1));
    await prices(candle(2, '98', '104', '103'));
    expect(paper.disconnectPolicies?.()).toEqual([
      { sessionId: 's', policy: DisconnectPolicy.FLATTEN, afterMs: 5_000, applied: false },
    ]);
    await paper.applyDisconnectPolicy?.('s', 5_100);
    await paper.applyDisconnectPolicy?.('s', 6_000);
    expect(closedOf()).toMatchObject([{ reason: PositionCloseReason.DISCONNECT, fill: { price: '103', pnl: '3' } }]);
    await afterCrash((survivor) => {
      expect(survivor.disconnectPolicies?.()).toMatchObject([{ applied: true }]);
    });
    const applied = events().flatMap(({ event }) => (event.case === 'disconnectPolicyApplied' ? [event.value] : []));
    expect(applied).toMatchObject([
      {
        policy: DisconnectPolicy.FLATTEN,
        ordersCancelled: 2,
        positionsClosed: 1,
        disconnectedFor: { seconds: 5n, nanos: 100_000_000 },
      },
    ]);
    await paper.platformReturned?.();
    expect(paper.disconnectPolicies?.()).toMatchObject([{ applied: false }]);
    expect(await run(close(2, '1'))).toMatchObject({ result: { summary: 'already closed by disconnect' } });
  });

  test('that cancels orders leaves the position without protection, and says so', async () => {
    await startSession(DisconnectPolicy.CANCEL_ORDERS);
    await prices(candle(1, '99', '101', '100'));
    await run(open(1), paper, 'entry');
    await paper.applyDisconnectPolicy?.('s', 10_000);
    expect(await paper.status()).toMatchObject({ openOrders: 0, positions: [{ quantity: '1' }] });
    expect(events().map(({ event }) => event.case)).toEqual([
      'equityReport',
      'ordersCancelled',
      'disconnectPolicyApplied',
      'equityReport',
    ]);
    expect(events().find(({ event }) => event.case === 'ordersCancelled')).toMatchObject({
      openCommandId: 'entry',
      event: { value: { orders: 2 } },
    });
  });
});
