import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { v7 as uuid } from 'uuid';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { AlertService } from '../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { DiagnosticsService } from '../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { BacktestService } from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { REQUEST_ID_HEADER } from '../platform/identity.ts';

/** Calls that are given no time of their own. */
const CALL_MS_MAX = 15_000;
/** Noticing a dead connection under an open watch. */
const PING_INTERVAL_MS = 15_000;

/** Clients of everything that the gateway offers. */
export interface Clients extends Disposable {
  readonly commands: Client<typeof CommandService>;
  readonly executors: Client<typeof ExecutorService>;
  readonly access: Client<typeof AccessService>;
  readonly diagnostics: Client<typeof DiagnosticsService>;
  readonly strategies: Client<typeof StrategyService>;
  readonly markets: Client<typeof MarketService>;
  readonly instances: Client<typeof EvaluatorService>;
  readonly sessions: Client<typeof SessionService>;
  readonly backtests: Client<typeof BacktestService>;
  readonly alerts: Client<typeof AlertService>;
  readonly health: Client<typeof Health>;
}

/** Connects at the first call. `token` undefined: only what needs none can be called. */
export function connectClients(url: string, token: string | undefined): Clients {
  const sessionManager = new Http2SessionManager(url, {
    pingIntervalMs: PING_INTERVAL_MS,
    pingIdleConnection: false,
  });
  const withIdentity: Interceptor = (next) => (request) => {
    if (token !== undefined) request.header.set('authorization', `Bearer ${token}`);
    request.header.set(REQUEST_ID_HEADER, uuid());
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager,
    interceptors: [withIdentity],
    defaultTimeoutMs: CALL_MS_MAX,
  });
  return {
    commands: createClient(CommandService, transport),
    executors: createClient(ExecutorService, transport),
    access: createClient(AccessService, transport),
    diagnostics: createClient(DiagnosticsService, transport),
    strategies: createClient(StrategyService, transport),
    markets: createClient(MarketService, transport),
    instances: createClient(EvaluatorService, transport),
    sessions: createClient(SessionService, transport),
    backtests: createClient(BacktestService, transport),
    alerts: createClient(AlertService, transport),
    health: createClient(Health, transport),
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}
