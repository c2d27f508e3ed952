import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DisconnectPolicy } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { Freshness } from '../../proto/gen/strategos/market/v1/market_pb.js';
import { InstanceState } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { flat, Tape } from '../harness/tape.ts';
import { strategyJson, TradingStack, when } from '../harness/trading.ts';
import { until } from '../harness/until.ts';
import { TradingView } from './trading-view.ts';

const STALE_MS = 1_500;
const BLIND_MS = 4_000;
const FLATTEN_AFTER_MS = 2_000;

let trading: TradingStack;

beforeAll(async () => {
  const market = { STRATEGOS_MARKET_STALE_MS_MIN: `${STALE_MS}`, STRATEGOS_MARKET_BLIND_MS_MIN: `${BLIND_MS}` };
  trading = await TradingStack.start({ tradingEnv: { market } });
  // Enters at 110, and leaves above 200 if nothing has closed it before.
  await trading.create(
    strategyJson('trader', {
      s1_signal: when('price', '>=', 110),
      z1_entry: {
        ...when('price', '>=', 110),
        stopLoss: { enabled: true, offsetPercent: 20 },
        takeProfit: { enabled: true, offsetPercent: 50 },
      },
      ze1_close: when('price', '>', 200),
    }),
  );
  // The same without stop and target: its exits are its own.
  await trading.create(
    strategyJson('bare', {
      s1_signal: when('price', '>=', 110),
      z1_entry: when('price', '>=', 110),
      ze1_close: when('price', '>', 200),
    }),
  );
  // Flat until the price comes to 300.
  await trading.create(
    strategyJson('sleeper', { s1_signal: when('price', '>=', 300), z1_entry: when('price', '>=', 300) }),
  );
});
afterAll(() => trading[Symbol.asyncDispose]());

interface Scene {
  readonly tape: Tape;
  readonly view: TradingView;
  readonly sessionId: string;
}

/** A session with an open position, entered at 110, and with an instance that is flat; then nothing comes any more. */
async function silence(symbol: string, holder: string, disconnectPolicy: DisconnectPolicy): Promise<Scene> {
  const tape = await Tape.start(trading, symbol, 100);
  const { id: sessionId } = await trading.startSession(holder, symbol, {
    strategies: [holder, 'sleeper'].map((strategy) => ({ strategy, symbols: [symbol] })),
    disconnectPolicy,
    disconnectAfter: durationFromMs(FLATTEN_AFTER_MS),
  });
  await tape.play([...flat(110, 3), { close: 105 }]);
  const view = new TradingView(trading, sessionId);
  await view.position(holder, PositionState.OPEN);
  return { tape, view, sessionId };
}

async function blind({ view, tape }: Scene): Promise<void> {
  await view.explained('sleeper', tape.symbol, `there are no prices of ${tape.symbol}`);
}

/** Prices are back at 300: who is flat may enter again. */
async function freshAgain({ view, tape }: Scene): Promise<void> {
  await tape.play(flat(300));
  expect(await view.position('sleeper', PositionState.OPEN)).toMatchObject({ entryPrice: '300' });
}

describe.concurrent('a symbol whose prices stop while a position is open', () => {
  test('is stale, then blind: no entry, and the reason is told; HOLD keeps position, stop and target', async () => {
    const scene = await silence('HOLD_USDT', 'trader', DisconnectPolicy.HOLD);
    const { view, tape } = scene;
    await view.explained('sleeper', tape.symbol, `takes no signals: the prices of ${tape.symbol} are stale`);
    await blind(scene);
    expect(await view.held()).toMatchObject([{ symbol: tape.symbol, entryPrice: '110' }]);
    await freshAgain(scene);
    // The target rested at the venue all the time.
    expect(await view.positions()).toContainEqual(
      expect.objectContaining({ exitReason: 'take_profit', exitPrice: '165', state: PositionState.CLOSED }),
    );
    expect(await view.commands('cancel_orders')).toEqual([]);
    expect(await view.story('sleeper', (lines) => lines.length >= 3)).toEqual([
      'MONITORING > SIGNAL_DETECTED s1_signal conditions_met',
      'SIGNAL_DETECTED > ENTRY_EVALUATION z1_entry conditions_met',
      'ENTRY_EVALUATION > POSITION_ACTIVE venue filled',
    ]);
  });

  test('under REDUCE_ONLY keeps what is open, with its orders, and lets an operator leave it', async () => {
    const scene = await silence('REDUCE_USDT', 'trader', DisconnectPolicy.REDUCE_ONLY);
    const { view, sessionId } = scene;
    await blind(scene);
    expect(await view.held()).toHaveLength(1);
    expect(await view.commands('cancel_orders')).toEqual([]);
    await trading.sessions.deactivateStrategy({ id: sessionId, strategy: 'trader', closePositions: true });
    expect(await view.position('trader', PositionState.CLOSED)).toMatchObject({
      exitReason: 'deactivated',
      exitPrice: '105',
    });
    await freshAgain(scene);
  });

  test('under CANCEL_ORDERS keeps the position without stop and target; its exit is the strategy’s own', async () => {
    const scene = await silence('CANCEL_USDT', 'trader', DisconnectPolicy.CANCEL_ORDERS);
    const { view } = scene;
    await blind(scene);
    await until(
      async () => (await view.commands('cancel_orders'))[0]?.finishTime !== undefined,
      'orders are cancelled',
    );
    expect((await view.commands('cancel_orders')).map(({ result }) => result?.summary)).toContain('2 orders cancelled');
    expect(await view.held()).toHaveLength(1);
    await freshAgain(scene);
    expect(await view.positions()).toContainEqual(
      expect.objectContaining({ exitReason: 'ze1_close', exitPrice: '300', state: PositionState.CLOSED }),
    );
  });

  test('under FLATTEN is left at the last price, once, when disconnect_after is over', async () => {
    const scene = await silence('FLATTEN_USDT', 'trader', DisconnectPolicy.FLATTEN);
    const { view } = scene;
    await blind(scene);
    expect(await view.position('trader', PositionState.CLOSED)).toMatchObject({
      exitReason: 'disconnect',
      exitPrice: '105',
    });
    expect(await view.commands('close_position')).toHaveLength(1);
    await view.instance('trader', InstanceState.MONITORING);
    const told = await view.story('trader', (lines) => lines.some((line) => line.startsWith('EXITED')));
    expect(told.slice(-2)).toEqual([
      'POSITION_ACTIVE > EXITED session disconnect',
      'EXITED > MONITORING session exited',
    ]);
    expect(await view.held()).toEqual([]);
    await freshAgain(scene);
    expect(await view.position('trader', PositionState.OPEN)).toMatchObject({ entryPrice: '300' });
  });
});

test('what is looked at when it is stale already: entries are held back and say why, exits go on', async () => {
  const { tape, view } = await silence('LATE_USDT', 'bare', DisconnectPolicy.HOLD);
  await tape.play(flat(105));
  await view.instance('sleeper', InstanceState.MONITORING);
  const evaluator = trading.stack.part('evaluator-0');
  await evaluator.stop();
  await tape.play(flat(300, 3));
  await until(async () => (await freshness(tape.symbol)) >= Freshness.STALE, 'the prices are stale', 30_000);
  await evaluator.start();
  expect(await view.position('bare', PositionState.CLOSED)).toMatchObject({
    exitReason: 'ze1_close',
    exitPrice: '300',
  });
  expect(await view.story('sleeper', (lines) => lines.length > 0)).toEqual([
    'MONITORING held back s1_signal stale_inputs',
  ]);
  await view.explained('sleeper', tape.symbol, 'takes no signals');
});

async function freshness(symbol: string): Promise<Freshness> {
  const signal = AbortSignal.timeout(5_000);
  for await (const response of trading.markets.watchPrices({ symbols: [{ symbol }] }, { signal })) {
    const told = response.freshness.find((each) => each.symbol === symbol);
    if (told !== undefined) return told.freshness;
  }
  return Freshness.UNSPECIFIED;
}
