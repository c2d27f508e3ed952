import { type DescMethod, type DescService, getOption } from '@bufbuild/protobuf';
import { AccessService, required_role, Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { AlertService } from '../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { DiagnosticsService } from '../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { BacktestService } from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';

/** Every RPC that operators call to command executors. */
export const OPERATOR_RPCS: readonly DescMethod[] = publicOnes(CommandService, ExecutorService, AccessService);

/** Every RPC that operators call to trade. StopAll comes last: what is sound about it ends what the others speak of. */
export const TRADING_RPCS: readonly DescMethod[] = publicOnes(
  StrategyService,
  MarketService,
  EvaluatorService,
  BacktestService,
  DiagnosticsService,
  AlertService,
  SessionService,
).toSorted((a, b) => Number(a.name === 'StopAll') - Number(b.name === 'StopAll'));

/** Every RPC of agents that is not a stream. */
export const POLLING_RPCS: readonly DescMethod[] = ExecutorLinkService.methods.filter(
  ({ methodKind }) => methodKind === 'unary',
);

/** Those that anybody outside may call at all. */
function publicOnes(...services: readonly DescService[]): DescMethod[] {
  return services.flatMap(({ methods }) =>
    methods.filter((method) => getOption(method, required_role) !== Role.UNSPECIFIED),
  );
}

/** "IssueCommand", as tests are named. */
export function nameOf(method: DescMethod): string {
  return `${method.parent.name}.${method.name}`;
}
