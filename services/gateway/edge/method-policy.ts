import { type DescMethod, type DescService, getOption } from '@bufbuild/protobuf';
import { Health } from '../../../proto/gen/grpc/health/v1/health_pb.js';
import {
  request_bytes_max,
  required_role,
  Role as ProtoRole,
} from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Role } from '../domain/role.ts';

/** Who may call a method through the gateway. */
export type MethodPolicy =
  /** Anybody: health and reflection. */
  | { readonly kind: 'open' }
  /** Operators whose token has the role, or a greater one. */
  | { readonly kind: 'operator'; readonly role: Role }
  /** Executors, whose credential the link port checks. */
  | { readonly kind: 'executor' }
  /** Nobody. */
  | { readonly kind: 'closed' };

const REFLECTION_SERVICE = /^grpc\.reflection\.v1(alpha)?\.ServerReflection$/;

/** Decides from the descriptor alone, so that an RPC that nobody thought about is closed. */
export function policyOf(method: DescMethod): MethodPolicy {
  const service = method.parent.typeName;
  if (service === Health.typeName || REFLECTION_SERVICE.test(service)) return { kind: 'open' };
  if (service === ExecutorLinkService.typeName) {
    return method.methodKind === 'unary' ? { kind: 'executor' } : { kind: 'closed' };
  }
  const role = roleOf(getOption(method, required_role));
  return role === undefined ? { kind: 'closed' } : { kind: 'operator', role };
}

/** Methods of a service that somebody may call. */
export function servedMethods(service: DescService): DescMethod[] {
  return service.methods.filter((method) => policyOf(method).kind !== 'closed');
}

/** The largest request of a method: its own word, where it says one that is above the limit for all. */
export function requestBytesMaxOf(method: DescMethod, forAll: number): number {
  return Math.max(forAll, getOption(method, request_bytes_max));
}

/** Undefined for UNSPECIFIED and for numbers that this release does not know. */
export function roleOf(role: ProtoRole): Role | undefined {
  switch (role) {
    case ProtoRole.VIEWER:
      return 'viewer';
    case ProtoRole.OPERATOR:
      return 'operator';
    case ProtoRole.ADMIN:
      return 'admin';
    case ProtoRole.UNSPECIFIED:
      return undefined;
    default:
      // An open enum: the wire may carry numbers of later releases.
      role satisfies never;
      return undefined;
  }
}
