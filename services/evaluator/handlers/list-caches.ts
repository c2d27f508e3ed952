import type { HandlerContext } from '@connectrpc/connect';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  CacheStateSchema,
  type ListCachesRequest,
  ListCachesRequestSchema,
  type ListCachesResponse,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import type { EvaluatorHandlerDependencies } from './dependencies.ts';

export function listCaches({ book }: EvaluatorHandlerDependencies) {
  return async (request: ListCachesRequest, context: HandlerContext): Promise<Pick<ListCachesResponse, 'caches'>> => {
    const { accountId } = callerOf(context);
    checksOf(ListCachesRequestSchema, request).throwIfAny();
    const caches = await book.listCaches(accountId);
    return {
      caches: caches.map(({ replicaId, appliedRevision, digest, timeMs }) =>
        create(CacheStateSchema, {
          replicaId,
          appliedRevision: BigInt(appliedRevision),
          digest,
          time: timestampFromMs(Math.floor(timeMs)),
        }),
      ),
    };
  };
}
