import type { DescMethod } from '@bufbuild/protobuf';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';

/** Every RPC that operators call. */
export const OPERATOR_RPCS: readonly DescMethod[] = [CommandService, ExecutorService, AccessService].flatMap(
  (service): readonly DescMethod[] => service.methods,
);

/** Every RPC of agents that is not a stream. */
export const POLLING_RPCS: readonly DescMethod[] = ExecutorLinkService.methods.filter(
  ({ methodKind }) => methodKind === 'unary',
);

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** "IssueCommand", as tests are named. */
export function nameOf(method: DescMethod): string {
  return `${method.parent.name}.${method.name}`;
}
