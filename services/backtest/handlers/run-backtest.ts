import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type BacktestService,
  type RunBacktestRequest,
  RunBacktestRequestSchema,
} from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { refuseUnknownFields } from '../../platform/grpc/parse.ts';
import { runBacktest } from '../engine/backtest.ts';
import type { LoadedData } from '../engine/loaded-data.ts';
import { checkRequest } from '../wire/request-checks.ts';
import { evaluationMessage, positionMessage, summaryMessage } from '../wire/happening-to-proto.ts';
import type { Participant } from '../engine/backtest.ts';

/** Where strategies and data come from, on behalf of the caller. */
export interface BacktestSources {
  readonly participants: (request: RunBacktestRequest, context: HandlerContext) => Promise<readonly Participant[]>;
  readonly data: (request: RunBacktestRequest, context: HandlerContext) => Promise<LoadedData>;
}

/** Other calls and health checks get their turn after so long. */
const TURN_MS_MAX = 20;

/** Runs the strategies and streams what happens; points for drawing and the summary come last. */
export function runBacktestHandler(sources: BacktestSources): ServiceImpl<typeof BacktestService>['runBacktest'] {
  return async function* (request, context) {
    refuseUnknownFields(RunBacktestRequestSchema, request);
    const { symbol, initialBalance, sessionId } = checkRequest(request);
    const [participants, data] = await Promise.all([
      sources.participants(request, context),
      sources.data(request, context),
    ]);
    const costs = {
      feePercent: request.feePercent,
      spreadPercent: request.spreadPercent,
      slippagePercent: request.slippagePercent,
    };
    const run = runBacktest({ series: data, symbol, participants, initialBalance, costs });
    const scope = { sessionId, symbol };
    let sequence = 0;
    let turnEndsMs = performance.now() + TURN_MS_MAX;
    for (;;) {
      const next = run.next();
      if (next.done === true) {
        for (const { timeMs, value } of next.value.prices) {
          yield { event: { case: 'price', value: point(timeMs, value) } };
        }
        for (const { timeMs, value } of next.value.equityCurve) {
          yield { event: { case: 'equity', value: point(timeMs, value) } };
        }
        yield { event: { case: 'summary', value: summaryMessage(initialBalance, next.value, data.counts) } };
        return;
      }
      const event = next.value;
      if (event.type === 'progress') yield { event: { case: 'progressPercent', value: event.percent } };
      else if (event.type === 'trade') {
        yield { event: { case: 'trade', value: positionMessage(scope, event.participant, event.trade) } };
      } else {
        sequence += 1;
        yield {
          event: { case: 'evaluation', value: evaluationMessage(scope, event.participant, event.record, sequence) },
        };
      }
      if (performance.now() < turnEndsMs) continue;
      await nextTurn();
      context.signal.throwIfAborted();
      turnEndsMs = performance.now() + TURN_MS_MAX;
    }
  };
}

function point(timeMs: number, value: number): { readonly time: Timestamp; readonly value: number } {
  return { time: timestampFromMs(timeMs), value };
}
