import { timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PositionState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { TradingView } from '../fault/trading-view.ts';
import { flat, Tape } from '../harness/tape.ts';
import { MINUTE_MS, strategyJson, TradingStack, when } from '../harness/trading.ts';

let trading: TradingStack;

beforeAll(async () => {
  trading = await TradingStack.start();
});
afterAll(() => trading[Symbol.asyncDispose]());

const ENTERED = [
  'MONITORING > SIGNAL_DETECTED s1_signal conditions_met',
  'SIGNAL_DETECTED > ENTRY_EVALUATION z1_entry conditions_met',
  'ENTRY_EVALUATION > POSITION_ACTIVE venue filled',
];

test('target and stop are hit at the agent, at their own price and the candle’s time, without a close command', async () => {
  await trading.create(
    strategyJson('guarded', {
      s1_signal: when('price', '==', 110),
      z1_entry: {
        ...when('price', '==', 110),
        stopLoss: { enabled: true, offsetPercent: 5 },
        takeProfit: { enabled: true, offsetPercent: 10 },
      },
    }),
  );
  const tape = await Tape.start(trading, 'EDGE_USDT', 100);
  const { id: sessionId } = await trading.startSession('guarded', 'EDGE_USDT');
  const view = new TradingView(trading, sessionId);

  // Entered with the second candle at 110; the third touches nothing, the fourth the target at 121.
  const targetMs = await tape.play([...flat(110, 2), { close: 112 }, { close: 118, high: 122 }, ...flat(105)]);
  const won = await view.position('guarded', PositionState.CLOSED);
  expect(won).toMatchObject({ entryPrice: '110', exitPrice: '121', exitReason: 'take_profit', closeCommandId: '' });
  expect(exitMs(won)).toBe(targetMs + 3 * MINUTE_MS);

  // Both are touched by one candle: the stop at 104.5 comes first.
  const stopMs = await tape.play([...flat(110, 2), { close: 112, high: 122, low: 104 }, ...flat(105)]);
  const story = await view.story('guarded', (lines) => lines.length >= 10);
  expect(story).toEqual([
    ...ENTERED,
    'POSITION_ACTIVE > EXITED take_profit take_profit',
    'EXITED > MONITORING take_profit exited',
    ...ENTERED,
    'POSITION_ACTIVE > EXITED stop_loss stop_loss',
    'EXITED > MONITORING stop_loss exited',
  ]);
  const [, lost] = await view.positions();
  expect(lost).toMatchObject({ entryPrice: '110', exitPrice: '104.5', exitReason: 'stop_loss', closeCommandId: '' });
  expect(exitMs(lost)).toBe(stopMs + 2 * MINUTE_MS);
  expect(await view.commands('close_position')).toEqual([]);
  expect(await view.held()).toEqual([]);
});

function exitMs(position: { readonly exitTime?: Parameters<typeof timestampMs>[0] | undefined } | undefined): number {
  return position?.exitTime === undefined ? 0 : timestampMs(position.exitTime);
}
