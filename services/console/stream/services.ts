import { createClient } from '@connectrpc/connect';
import { CommandService } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { EvaluatorService } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { BacktestService } from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { transport } from '../access/transport.ts';

/** Clients for streams and for lists of many pages; single calls go through the query cache. */
export const commands = createClient(CommandService, transport);
export const executors = createClient(ExecutorService, transport);
export const evaluators = createClient(EvaluatorService, transport);
export const markets = createClient(MarketService, transport);
export const backtests = createClient(BacktestService, transport);
export const sessions = createClient(SessionService, transport);
export const strategies = createClient(StrategyService, transport);

/** Streams have no deadline; the transport's own is for single calls. */
export const NO_DEADLINE = { timeoutMs: 0 } as const;
