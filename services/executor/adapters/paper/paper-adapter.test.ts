import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandDeliverySchema } from '../../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { SessionMode, Side } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { silentLogger } from '../../test-platform.ts';
import type { Adapter, AdapterCommand, ExecutionContext, Outcome } from '../adapter.ts';
import { tagOf } from '../tag.ts';
import { createPaperAdapter, type PaperOptions } from './paper-adapter.ts';

type KindInit = NonNullable<MessageInitShape<typeof CommandDeliverySchema>['kind']>;

let directory: string;
let paper: Adapter;
let commands = 0;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-paper-'));
  await openPaper();
});

afterEach(async () => {
  await paper.close?.();
  rmSync(directory, { recursive: true });
});

async function openPaper(options: PaperOptions = {}): Promise<void> {
  await paper?.close?.();
  paper = createPaperAdapter(options);
  await paper.open?.({ logger: silentLogger, directory });
}

function command(kind: KindInit, id = `command-${commands++}`): AdapterCommand {
  const { kind: body } = create(CommandDeliverySchema, { kind });
  if (body.case === undefined) throw new Error('the kind is not set');
  return { id, attempt: 1, body };
}

function context(id: string, signal = new AbortController().signal): ExecutionContext {
  return {
    signal,
    tag: tagOf(id),
    progressWithinMs: undefined,
    nowMs: () => 1_700_000_000_000,
    progress: () => undefined,
  };
}

async function run(kind: KindInit, id?: string): Promise<Outcome> {
  const issued = command(kind, id);
  return paper.execute(issued, context(issued.id));
}

/** The summary of a success, or the sentence of anything else. */
async function say(kind: KindInit): Promise<string> {
  const outcome = await run(kind);
  return outcome.status === 'succeeded' ? (outcome.result?.summary ?? '') : outcome.message;
}

const open = (over: Extract<KindInit, { case: 'openPosition' }>['value'] = {}): KindInit => ({
  case: 'openPosition',
  value: { symbol: 'BTC_USDT', side: Side.BUY, quantity: '2', referencePrice: '100', ...over },
});

const startSession = (sessionId: string, initialBalance = ''): KindInit => ({
  case: 'startSession',
  value: { sessionId, initialBalance, mode: SessionMode.PAPER },
});

const close = (over: Extract<KindInit, { case: 'closePosition' }>['value'] = {}): KindInit => ({
  case: 'closePosition',
  value: over,
});

describe('the paper venue', () => {
  test('executes every kind of the wire format', async () => {
    const fields = CommandDeliverySchema.oneofs[0]?.fields ?? [];
    expect([...paper.kinds].toSorted()).toEqual(fields.map((field) => field.localName).toSorted());
  });

  test('opens, adds to and closes a position, and counts the money', async () => {
    const opened = await run(open());
    expect(opened).toMatchObject({
      status: 'succeeded',
      result: { fills: [{ symbol: 'BTC_USDT', side: Side.BUY, quantity: '2', price: '100', fee: '0' }] },
    });
    await run(open({ referencePrice: '400', quantity: '1' }));
    expect(await paper.status()).toMatchObject({
      positions: [{ quantity: '3', entryPrice: '200', side: Side.BUY }],
      equity: '10600',
    });
    const closed = await run(close({ symbol: 'BTC_USDT', quantity: '1', referencePrice: '250' }));
    expect(closed).toMatchObject({ result: { fills: [{ side: Side.SELL, quantity: '1', price: '250', pnl: '50' }] } });
    expect(await say(close())).toBe('1 position closed, profit 100');
    expect(await paper.status()).toMatchObject({ positions: [], equity: '10150' });
  });

  test('a short position earns when the price falls', async () => {
    await run(open({ side: Side.SELL }));
    expect(await run(close({ symbol: 'BTC_USDT', referencePrice: '90' }))).toMatchObject({
      result: { fills: [{ side: Side.BUY, pnl: '20' }] },
    });
  });

  test('invents no price', async () => {
    expect(await run(open({ referencePrice: '' }))).toMatchObject({
      status: 'rejected',
      message: 'the paper venue has never seen a price of "BTC_USDT": send reference_price with the command',
      metadata: { venue_code: 'no_price' },
    });
    await run(open());
    expect(await run(open({ referencePrice: '' }))).toMatchObject({ result: { fills: [{ price: '100' }] } });
    expect(await paper.priceOf?.('BTC_USDT', '')).toBe('100');
    expect(await paper.priceOf?.('ETH_USDT', '')).toBeUndefined();
  });

  test('refuses what a venue would refuse, with a sentence', async () => {
    const refusals: [KindInit, string][] = [
      [open({ quantity: '-1' }), 'quantity must be a decimal number above zero, and is "-1"'],
      [open({ symbol: '' }), 'symbol is empty'],
      [open({ side: Side.UNSPECIFIED }), 'side must be buy or sell'],
      [open({ leverage: '126' }), 'leverage 126 is above the 125 that this venue grants'],
      [open({ quantity: '101' }), 'the order needs a margin of 10100, and 10000 is free'],
      [open({ sessionId: 'nowhere' }), 'no session "nowhere" is open on this executor: start it first'],
      [close({ symbol: 'BTC_USDT' }), 'no position is open on "BTC_USDT"'],
      [
        { case: 'startSession', value: { sessionId: 'live', mode: SessionMode.LIVE } },
        'this executor trades on paper and cannot run a live session: use a live adapter, or mode paper',
      ],
    ];
    for (const [kind, sentence] of refusals) expect(await say(kind)).toBe(sentence);
    expect(await paper.status()).toMatchObject({ positions: [], equity: '10000' });
  });

  test('leverage binds less margin, and open positions bind theirs', async () => {
    expect(await say(open({ quantity: '1000', leverage: '20' }))).toBe('bought 1000 BTC_USDT at 100');
    expect(await say(open({ quantity: '60', symbol: 'ETH_USDT' }))).toContain('5000 is free');
    expect(await say(open({ side: Side.SELL }))).toContain('a position the other way round is open');
  });

  test('a session has its own money and symbols, pauses, and closes what it opened', async () => {
    await run({ case: 'startSession', value: { sessionId: 's', initialBalance: '500', symbols: ['BTC_USDT'] } });
    expect(await say({ case: 'startStrategy', value: { sessionId: 's', strategyId: 'x', symbol: 'ETH' } })).toContain(
      'trades BTC_USDT',
    );
    await run({
      case: 'startStrategy',
      value: { sessionId: 's', strategyId: 'x', symbol: 'BTC_USDT', strategyRevision: 7n },
    });
    expect(await say(open({ sessionId: 's', strategyId: 'y' }))).toContain('does not run');
    await run({ case: 'pause', value: { sessionId: 's' } });
    expect(await say(open({ sessionId: 's', strategyId: 'x' }))).toContain('is paused');
    await run({ case: 'resume', value: { sessionId: 's' } });
    expect(await say(open({ sessionId: 's', strategyId: 'x', quantity: '6' }))).toContain('500 is free');
    await run(open({ sessionId: 's', strategyId: 'x', quantity: '5' }));
    expect(await paper.status()).toMatchObject({
      sessions: [{ sessionId: 's', paused: false, instances: [{ strategyId: 'x', strategyRevision: 7n }] }],
      equity: '10500',
    });
    await run({ case: 'startSession', value: { sessionId: 't' } });
    await run(open({ sessionId: 't', symbol: 'BTC_USDT', quantity: '1', referencePrice: '110' }));
    expect(await run({ case: 'stopSession', value: { sessionId: 's', closePositions: true } })).toMatchObject({
      result: { summary: 'session s is closed, 1 position closed', fills: [{ price: '110', pnl: '50' }] },
    });
    expect(await paper.status()).toMatchObject({ sessions: [{ sessionId: 't' }], equity: '10000' });
  });

  test('stops are done when there is nothing to stop', async () => {
    expect(await say({ case: 'stopSession', value: { sessionId: 's' } })).toBe('session s was not open');
    expect(await say({ case: 'stopStrategy', value: { sessionId: 's', strategyId: 'x', symbol: 'BTC' } })).toBe(
      'strategy x on BTC was not running',
    );
    expect(await say({ case: 'stopAll', value: {} })).toBe('0 sessions closed');
  });

  test('a stop of one strategy leaves the positions of others, and the kill switch leaves none', async () => {
    await run(startSession('s'));
    for (const strategyId of ['x', 'y']) {
      await run({ case: 'startStrategy', value: { sessionId: 's', strategyId, symbol: 'BTC_USDT' } });
      await run(open({ sessionId: 's', strategyId }));
    }
    await run({
      case: 'stopStrategy',
      value: { sessionId: 's', strategyId: 'x', symbol: 'BTC_USDT', closePositions: true },
    });
    expect(await paper.status()).toMatchObject({ positions: [{ strategyId: 'y' }] });
    await run({ case: 'stopAll', value: { closePositions: true } });
    expect(await paper.status()).toMatchObject({ positions: [], sessions: [] });
  });

  test('each fill says whose position it is of', async () => {
    const owners = ['s', 't'].map((sessionId) => ({ sessionId, strategyId: 'x' }));
    for (const owner of owners) {
      await run(startSession(owner.sessionId));
      await run({ case: 'startStrategy', value: { ...owner, symbol: 'BTC_USDT' } });
      expect(await run(open(owner))).toMatchObject({ result: { fills: [owner] } });
    }
    await run(open({ quantity: '1' }));
    expect(await run({ case: 'stopAll', value: { closePositions: true } })).toMatchObject({
      result: { fills: [...owners, { sessionId: '', strategyId: '' }] },
    });
  });

  test('protective orders rest on the position until they are cancelled', async () => {
    await run(open({ stopLossPrice: '90', takeProfitPrice: '120' }));
    expect(await paper.status()).toMatchObject({ openOrders: 2 });
    expect(await say({ case: 'cancelOrders', value: { symbol: 'BTC_USDT' } })).toBe('2 orders cancelled');
    expect(await paper.status()).toMatchObject({ openOrders: 0, positions: [{ quantity: '2' }] });
  });

  test('pausing the executor stops every entry and no exit', async () => {
    await run(open());
    await run({ case: 'pause', value: {} });
    expect(await say(open())).toContain('the executor is paused');
    expect((await run(close())).status).toBe('succeeded');
  });

  test('a ping comes back, and status is what the account holds', async () => {
    expect(await run({ case: 'ping', value: { payload: 'hello' } })).toMatchObject({ result: { payload: 'hello' } });
    expect(await run({ case: 'getStatus', value: {} })).toMatchObject({ result: { status: { equity: '10000' } } });
  });
});

describe('recovery of the paper venue', () => {
  test('the same command takes effect once, and the account survives a restart', async () => {
    await run(open(), 'first');
    await openPaper();
    expect(await run(open(), 'first')).toMatchObject({ result: { summary: 'bought 2 BTC_USDT at 100' } });
    expect(await paper.status()).toMatchObject({ positions: [{ quantity: '2' }] });
    expect(await say(open({ quantity: '99' }))).toContain('9800 is free');
  });

  test('tells exactly whether a command took effect', async () => {
    const effective = command(open(), 'effective');
    await paper.execute(effective, context('effective'));
    await openPaper();
    expect(await paper.recover(effective, context('effective'))).toMatchObject({ status: 'succeeded' });
    expect(await paper.recover(command(open(), 'never'), context('never'))).toBe('not_executed');
    await run(open({ quantity: '1000' }), 'refused');
    expect(await paper.recover(command(open(), 'refused'), context('refused'))).toBe('not_executed');
  });

  test('a slow venue can be told to stop before the effect', async () => {
    await openPaper({ latencyMs: 60_000 });
    const controller = new AbortController();
    const running = paper.execute(command(open()), context('slow', controller.signal));
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toBe(controller.signal.reason);
    expect(await paper.status()).toMatchObject({ positions: [] });
  });
});
