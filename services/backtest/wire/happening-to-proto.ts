import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Side } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import {
  type ConditionResultSchema,
  type EvaluationSchema,
  InstanceState,
  Section,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { BacktestSummarySchema } from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { type PositionSchema, PositionState } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { Operator } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { BacktestEvent, BacktestSummary, Participant } from '../engine/backtest.ts';
import type { DataCounts } from '../engine/loaded-data.ts';
import type { Trade } from '../engine/trade.ts';

type Record = Extract<BacktestEvent, { readonly type: 'evaluation' }>['record'];

const SECTIONS: { readonly [S in Record['section']]: Section } = {
  s1_signal: Section.S1_SIGNAL,
  o1_cancel: Section.O1_CANCEL,
  z1_entry: Section.Z1_ENTRY,
  ze1_close: Section.ZE1_CLOSE,
  emergency_exit: Section.EMERGENCY_EXIT,
  stop_loss: Section.STOP_LOSS,
  take_profit: Section.TAKE_PROFIT,
  venue: Section.VENUE,
  cooldown: Section.COOLDOWN,
  session: Section.SESSION,
};

const OPERATORS: { readonly [O in Record['inputs'][number]['operator']]: Operator } = {
  '>': Operator.GREATER,
  '>=': Operator.GREATER_OR_EQUAL,
  '<': Operator.LESS,
  '<=': Operator.LESS_OR_EQUAL,
  '==': Operator.EQUAL,
  '!=': Operator.NOT_EQUAL,
};

/** What every message of one run says. */
export interface RunScope {
  readonly sessionId: string;
  readonly symbol: string;
}

export function evaluationMessage(
  scope: RunScope,
  { instanceId, strategyId, definition }: Participant,
  record: Record,
  sequence: number,
): MessageInitShape<typeof EvaluationSchema> {
  const { timeMs, from, to, section, inputs, ...rest } = record;
  return {
    ...rest,
    ...scope,
    sequence: BigInt(sequence),
    instanceId,
    strategyId,
    strategyName: definition.strategyName,
    fromState: InstanceState[from],
    toState: InstanceState[to],
    time: timestampFromMs(timeMs),
    section: SECTIONS[section],
    revision: BigInt(record.revision),
    inputs: inputs.map(inputMessage),
  };
}

function inputMessage({
  operator,
  actual,
  ...rest
}: Record['inputs'][number]): MessageInitShape<typeof ConditionResultSchema> {
  return { ...rest, operator: OPERATORS[operator], ...(actual === null ? {} : { actual }) };
}

export function positionMessage(
  scope: RunScope,
  { strategyId, definition }: Participant,
  trade: Trade,
): MessageInitShape<typeof PositionSchema> {
  const { entryTimeMs, exit, ...rest } = trade;
  return {
    ...rest,
    ...scope,
    strategyId,
    strategyName: definition.strategyName,
    side: Side.BUY,
    state: exit === undefined ? PositionState.OPEN : PositionState.CLOSED,
    entryTime: timestampFromMs(entryTimeMs),
    ...(exit === undefined
      ? {}
      : {
          exitPrice: exit.price,
          exitTime: timestampFromMs(exit.timeMs),
          exitReason: exit.reason,
          fee: exit.fee,
          pnl: exit.pnl,
        }),
  };
}

export function summaryMessage(
  initialBalance: string,
  { prices: _prices, equityCurve: _curve, transitions, ...totals }: BacktestSummary,
  data: DataCounts,
): MessageInitShape<typeof BacktestSummarySchema> {
  return create(BacktestSummarySchema, { ...totals, initialBalance, transitions: BigInt(transitions), data });
}
