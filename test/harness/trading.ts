import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Client } from '@connectrpc/connect';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Session } from '../../proto/gen/strategos/session/v1/session_pb.js';
import {
  SessionService,
  type StartSessionRequestSchema,
} from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import type { Strategy } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { TestAgent } from './agent.ts';
import { startStack, type StackOptions, type TestStack } from './stack.ts';
import { until } from './until.ts';

/** A candle of a made-up series: open and close are the same as its neighbours', prices in whole cents. */
export interface MadeCandle {
  readonly close: number;
  readonly high?: number;
  readonly low?: number;
}

/** Midnight of a day, and one of its minutes. */
export const SERIES_START_MS = Date.UTC(2024, 0, 2);
export const MINUTE_MS = 60_000;

/** CSV of one-minute candles, of which the first opens at `startMs`. */
export function seriesCsv(candles: readonly MadeCandle[], startMs = SERIES_START_MS): Uint8Array {
  let open = candles[0]?.close ?? 0;
  const rows = candles.map(({ close, high, low }, at) => {
    const row = [
      startMs + at * MINUTE_MS,
      open,
      high ?? Math.max(open, close),
      low ?? Math.min(open, close),
      close,
      10,
    ];
    open = close;
    return row.join(',');
  });
  return new TextEncoder().encode(['timestamp_ms,open,high,low,close,volume', ...rows].join('\n'));
}

type Body = Readonly<Record<string, unknown>>;

/** The JSON form of a strategy: what is given, nothing in the sections that are not, a tenth of the equity for an entry. */
export function strategyJson(name: string, sections: Body = {}): string {
  const empty = { conditions: [] };
  return JSON.stringify({
    strategy_name: name,
    s1_signal: empty,
    z1_entry: empty,
    ze1_close: empty,
    o1_cancel: empty,
    emergency_exit: empty,
    global_limits: { base_position_pct: 0.1 },
    ...sections,
  });
}

let conditions = 0;

/** A section with one condition. */
export function when(indicatorId: string, operator: string, value: number): { readonly conditions: readonly Body[] } {
  conditions += 1;
  return { conditions: [{ id: `condition-${conditions}`, indicatorId, operator, value }] };
}

/** A stack in which strategies trade, with one connected paper agent, and the clients of whoever uses it. */
export class TradingStack implements AsyncDisposable {
  readonly stack: TestStack;
  readonly agent: TestAgent;
  readonly strategies: Client<typeof StrategyService>;
  readonly markets: Client<typeof MarketService>;
  readonly instances: Client<typeof EvaluatorService>;
  readonly sessions: Client<typeof SessionService>;

  private constructor(
    stack: TestStack,
    agent: TestAgent,
    clients: Pick<TradingStack, 'strategies' | 'markets' | 'instances' | 'sessions'>,
  ) {
    this.stack = stack;
    this.agent = agent;
    this.strategies = clients.strategies;
    this.markets = clients.markets;
    this.instances = clients.instances;
    this.sessions = clients.sessions;
  }

  static async start(options: StackOptions = {}): Promise<TradingStack> {
    const stack = await startStack({ trading: { evaluators: 1 }, ...options });
    try {
      const agent = await stack.startAgent({ credentials: await stack.createExecutor('paper-1') });
      const clients = {
        strategies: await stack.client(StrategyService),
        markets: await stack.client(MarketService),
        instances: await stack.client(EvaluatorService),
        sessions: await stack.client(SessionService),
      };
      await connected(stack, 'paper-1');
      return new TradingStack(stack, agent, clients);
    } catch (thrown) {
      await stack[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Stores a strategy in the JSON form. */
  async create(json: string): Promise<Strategy> {
    const { strategy } = await this.strategies.createStrategy({ source: { case: 'json', value: json } });
    if (strategy === undefined) throw new Error('a strategy was created and not returned');
    return strategy;
  }

  /** Feeds a symbol with a made-up series, so many market seconds a second. */
  async replay(symbol: string, candles: readonly MadeCandle[], speed: number): Promise<void> {
    await this.replayCsv(symbol, seriesCsv(candles), speed);
  }

  async replayCsv(symbol: string, content: Uint8Array, speed: number): Promise<void> {
    const name = `series-${symbol}`;
    await this.markets.importDataset({ name, content });
    await this.markets.startSource({ symbol, kind: { case: 'replay', value: { dataset: name, speed } } });
  }

  /** Feeds a symbol that stands still but for small waves: alive, and without a signal. */
  async quietMarket(symbol: string): Promise<void> {
    await this.markets.startSource({
      symbol,
      kind: { case: 'simulation', value: { seed: 1n, startPrice: '100', speed: 60, interval: { seconds: 60n } } },
    });
  }

  /** Starts a paper session of one strategy on one symbol. */
  async startSession(
    strategy: string,
    symbol: string,
    more: MessageInitShape<typeof StartSessionRequestSchema> = {},
  ): Promise<Session> {
    const { session } = await this.sessions.startSession({
      mode: SessionMode.PAPER,
      executor: 'paper-1',
      strategies: [{ strategy, symbols: [symbol] }],
      initialBalance: '10000',
      ...more,
    });
    if (session === undefined) throw new Error('a session was started and not returned');
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
  }
}

/** Resolves when the platform sees the executor's stream. */
export async function connected(stack: TestStack, executor: string): Promise<void> {
  const executors = await stack.executorClient();
  await until(async () => {
    const found = (await executors.getExecutor({ executor })).executor;
    return found?.connectTime !== undefined;
  }, `${executor} is connected`);
}
