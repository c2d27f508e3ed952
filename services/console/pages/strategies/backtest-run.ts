import type {
  BacktestSummary,
  RunBacktestResponse,
} from '../../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import type { Position } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { InstanceState } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { Point } from '../../parts/series.ts';
import { msOf } from '../../parts/time.ts';

/** What a back-test has told so far. */
export interface Run {
  readonly progress: number;
  readonly prices: readonly Point[];
  readonly equity: readonly Point[];
  readonly signals: readonly Point[];
  readonly trades: ReadonlyMap<string, Position>;
  readonly summary: BacktestSummary | undefined;
}

export const EMPTY_RUN: Run = {
  progress: 0,
  prices: [],
  equity: [],
  signals: [],
  trades: new Map(),
  summary: undefined,
};

/** The run with more of its events; a trade that is told again replaces itself. */
export function withEvents(run: Run, events: readonly RunBacktestResponse['event'][]): Run {
  let { progress, summary } = run;
  const prices: Point[] = [];
  const equity: Point[] = [];
  const signals: Point[] = [];
  const trades: [string, Position][] = [];
  for (const event of events) {
    switch (event.case) {
      case 'progressPercent':
        progress = event.value;
        break;
      case 'price':
        prices.push(pointOf(event.value));
        break;
      case 'equity':
        equity.push(pointOf(event.value));
        break;
      case 'trade':
        trades.push([event.value.id, event.value]);
        break;
      case 'summary':
        summary = event.value;
        break;
      case 'evaluation':
        if (event.value.toState === InstanceState.SIGNAL_DETECTED && !event.value.blocked) {
          signals.push({ at: (msOf(event.value.time) ?? 0) / 1_000, value: Number(event.value.price) });
        }
        break;
      case undefined:
        break;
      default:
        event satisfies never;
    }
  }
  return {
    progress,
    summary,
    prices: [...run.prices, ...prices],
    equity: [...run.equity, ...equity],
    signals: [...run.signals, ...signals],
    trades: new Map([...run.trades, ...trades]),
  };
}

function pointOf({ time, value }: { readonly time?: Parameters<typeof msOf>[0]; readonly value: number }): Point {
  return { at: (msOf(time) ?? 0) / 1_000, value };
}
