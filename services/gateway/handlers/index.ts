import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { Health } from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '../../../proto/gen/grpc/reflection/v1/reflection_pb.js';
import { AccessService } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { AlertService } from '../../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { CommandService } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { DiagnosticsService } from '../../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { EvaluatorService } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { BacktestService } from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { TradingService } from '../config.ts';
import { requestBytesMaxOf, servedMethods } from '../edge/method-policy.ts';
import { forwardMethods, type Upstream } from '../upstream/forward.ts';
import type { AccessParts } from './access-parts.ts';
import { createAccount } from './create-account.ts';
import { createToken } from './create-token.ts';
import { type DiagnosticsParts, diagnose } from './diagnose.ts';
import { type HealthSource, healthHandlers } from './health.ts';
import { listTokens } from './list-tokens.ts';
import { alphaReflectionInfo, alphaReflectionService } from './reflection-alpha.ts';
import { revokeToken } from './revoke-token.ts';
import { serverReflectionInfo } from './server-reflection-info.ts';
import { whoAmI } from './who-am-i.ts';

const REFLECTION_ALPHA = alphaReflectionService();

/** What the services that trade offer to operators. */
const TRADING: readonly (readonly [TradingService, DescService])[] = [
  ['strategy', StrategyService],
  ['market', MarketService],
  ['evaluator', EvaluatorService],
  ['session', SessionService],
  ['backtest', BacktestService],
  ['alert', AlertService],
];

/** Every service that the gateway serves, itself or by forwarding. */
export const PUBLIC_SERVICES: readonly DescService[] = [
  AccessService,
  DiagnosticsService,
  CommandService,
  ExecutorService,
  ExecutorLinkService,
  ...TRADING.map(([, service]) => service),
  Health,
  ServerReflection,
  REFLECTION_ALPHA,
];

/** The largest request that any method takes. */
export function largestRequestBytes(forAll: number): number {
  const methods = PUBLIC_SERVICES.flatMap((service) => servedMethods(service));
  return Math.max(...methods.map((method) => requestBytesMaxOf(method, forAll)));
}

export interface HandlerParts {
  readonly access: AccessParts;
  readonly diagnostics: DiagnosticsParts;
  readonly command: Upstream;
  readonly trading: ReadonlyMap<TradingService, Upstream>;
  readonly link: Upstream;
  readonly health: HealthSource;
}

/** The table of contents: what is answered here, and what is forwarded where. */
export function registerHandlers(router: ConnectRouter, parts: HandlerParts): void {
  router.service(AccessService, {
    whoAmI: whoAmI(),
    createToken: createToken(parts.access),
    listTokens: listTokens(parts.access),
    revokeToken: revokeToken(parts.access),
    createAccount: createAccount(parts.access),
  });
  router.service(DiagnosticsService, { diagnose: diagnose(parts.diagnostics) });
  forwardMethods(router, servedMethods(CommandService), parts.command);
  forwardMethods(router, servedMethods(ExecutorService), parts.command);
  forwardMethods(router, servedMethods(ExecutorLinkService), parts.link);
  for (const [name, service] of TRADING) {
    const upstream = parts.trading.get(name);
    if (upstream === undefined) throw new Error(`nothing leads to the ${name} service`);
    forwardMethods(router, servedMethods(service), upstream);
  }
  router.service(Health, healthHandlers(parts.health));
  const reflect = serverReflectionInfo(PUBLIC_SERVICES);
  router.service(ServerReflection, { serverReflectionInfo: reflect });
  const alpha = alphaReflectionInfo(REFLECTION_ALPHA, reflect);
  router.rpc(alpha.method, alpha.implementation);
}
