import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListDatasetsRequest,
  ListDatasetsRequestSchema,
  type ListDatasetsResponse,
  ListDatasetsResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { checksOf } from '../wire/field-checks.ts';
import { datasetToProto } from '../wire/source-to-proto.ts';
import type { MarketHandlerDependencies } from './dependencies.ts';

export function listDatasets({ datasets }: MarketHandlerDependencies) {
  return async (request: ListDatasetsRequest, context: HandlerContext): Promise<ListDatasetsResponse> => {
    const { accountId } = callerOf(context);
    checksOf(ListDatasetsRequestSchema, request).throwIfAny();
    const found = await datasets.list(accountId);
    return create(ListDatasetsResponseSchema, { datasets: found.map(datasetToProto) });
  };
}
