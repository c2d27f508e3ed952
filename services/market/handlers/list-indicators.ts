import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListIndicatorsRequest,
  ListIndicatorsRequestSchema,
  type ListIndicatorsResponse,
  ListIndicatorsResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { catalogueToProto, checkToProto } from '../wire/catalogue-to-proto.ts';
import { checksOf } from '../wire/field-checks.ts';

/** As many as a strategy may have conditions. */
const IDS_MAX = 500;

export function listIndicators() {
  return (request: ListIndicatorsRequest, context: HandlerContext): ListIndicatorsResponse => {
    callerOf(context);
    const checks = checksOf(ListIndicatorsRequestSchema, request);
    if (request.ids.length > IDS_MAX)
      checks.add('ids', `must have at most ${IDS_MAX} entries, has ${request.ids.length}`);
    for (const [at, id] of request.ids.slice(0, IDS_MAX).entries()) checks.text(`ids[${at}]`, id);
    checks.throwIfAny();
    return create(ListIndicatorsResponseSchema, {
      indicators: catalogueToProto(),
      checks: request.ids.map(checkToProto),
    });
  };
}
