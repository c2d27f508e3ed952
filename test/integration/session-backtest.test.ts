import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { EvaluationSchema, InstanceState } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  BacktestSummarySchema,
  type RunBacktestRequest,
  RunBacktestResponseSchema,
} from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import {
  PositionSchema,
  PositionState,
  SessionState,
  SignalState,
} from '../../proto/gen/strategos/session/v1/session_pb.js';
import { FIRST_MS, pumpStrategy, SessionWorld, SYMBOL } from '../harness/session-world.ts';
import { until } from '../harness/until.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await SessionWorld.start();
  world.neighbours.strategy(pumpStrategy('pump'), 4);
});

afterAll(() => world[Symbol.asyncDispose]());

const BACKTEST = { mode: SessionMode.BACKTEST, executor: '', dataset: 'january' };

/** One signal that becomes one trade; the first run breaks off after its signal. */
async function* trade(request: RunBacktestRequest, run: number) {
  const instanceId = request.strategies[0]?.instanceId ?? '';
  const time = timestampFromMs(FIRST_MS);
  const step = (sequence: bigint, fromState: InstanceState, toState: InstanceState) =>
    create(RunBacktestResponseSchema, {
      event: {
        case: 'evaluation',
        value: create(EvaluationSchema, { sequence, instanceId, fromState, toState, time, price: '100', reason: 'x' }),
      },
    });
  yield step(1n, InstanceState.MONITORING, InstanceState.SIGNAL_DETECTED);
  if (run === 1) throw new ConnectError('the replica goes away', Code.Unavailable);
  yield step(2n, InstanceState.SIGNAL_DETECTED, InstanceState.ENTRY_EVALUATION);
  yield step(3n, InstanceState.ENTRY_EVALUATION, InstanceState.POSITION_ACTIVE);
  const position = { id: 'trade-1', instanceId, symbol: SYMBOL, quantity: '2', entryPrice: '100', entryTime: time };
  const of = (state: PositionState, rest: object) =>
    create(RunBacktestResponseSchema, {
      event: { case: 'trade', value: create(PositionSchema, { ...position, state, ...rest }) },
    });
  yield of(PositionState.OPEN, {});
  yield of(PositionState.CLOSED, { exitPrice: '110', exitTime: time, exitReason: 'take_profit', pnl: '20' });
  yield create(RunBacktestResponseSchema, {
    event: {
      case: 'summary',
      value: create(BacktestSummarySchema, { equity: '10020', realisedPnl: '20', maxDrawdownPct: '0', trades: 1 }),
    },
  });
}

test('a back-test is followed to its end; a run that breaks off is made again, and nothing is there twice', async () => {
  world.neighbours.backtest = trade;
  const { id } = await world.paper('', 'pump', BACKTEST);
  await until(async () => (await world.session(id)).state === SessionState.COMPLETED, 'the back-test is over');
  expect(await world.session(id)).toMatchObject({ equity: '10020', realisedPnl: '20', progressPercent: 100 });
  expect((await world.client.listSignals({ sessionId: id })).signals).toMatchObject([{ state: SignalState.ENTERED }]);
  expect((await world.client.listPositions({ sessionId: id })).positions).toMatchObject([
    { state: PositionState.CLOSED, exitReason: 'take_profit', pnl: '20' },
  ]);
  expect(world.neighbours.backtestRuns).toBe(2);
});

test('one that is over before anybody looks was started nevertheless, and a repeated call gives the same one', async () => {
  world.neighbours.backtest = (request) => trade(request, 2);
  const requestId = 'fast-one';
  const { id } = await world.paper('', 'pump', { ...BACKTEST, requestId });
  await until(async () => (await world.session(id)).state === SessionState.COMPLETED, 'the back-test is over');
  expect(await world.paper('', 'pump', { ...BACKTEST, requestId })).toMatchObject({
    id,
    state: SessionState.COMPLETED,
  });
});

test('one that cannot be run fails with the reason', async () => {
  world.neighbours.backtest = () => {
    throw new ConnectError('no dataset "january" in this account', Code.NotFound);
  };
  await expect(world.paper('', 'pump', BACKTEST)).rejects.toThrow(/no dataset "january"/);
});
