import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListExecutorsRequest,
  ListExecutorsRequestSchema,
  type ListExecutorsResponse,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { executorToProto } from '../wire/executor-to-proto.ts';
import { decodePosition, encodePosition, type PositionScope } from '../wire/position-token.ts';
import { checkLabels, checksOf, pageSizeOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';

export function listExecutors({ book }: ExecutorHandlerDependencies) {
  return async (
    request: ListExecutorsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListExecutorsResponse, 'executors' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListExecutorsRequestSchema, request);
    const pageSize = pageSizeOf(request.pageSize, checks);
    checkLabels(request.labels, checks);
    checks.throwIfAny();
    const { labels } = request;
    const labelPairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const scope: PositionScope = { field: 'page_token', bound: ['ListExecutors', accountId, labelPairs] };
    const afterName = request.pageToken === '' ? '' : decodePosition(scope, request.pageToken);
    // One more than the page holds tells whether there is another.
    const found = await book.list(accountId, { afterName, executorsMax: pageSize + 1, labels });
    const shown = found.slice(0, pageSize);
    const views = await book.views(
      accountId,
      shown.map(({ id }) => id),
    );
    const byId = new Map(views.map((view) => [view.executor.id, view]));
    const last = found.length > pageSize ? shown.at(-1) : undefined;
    return {
      executors: shown.flatMap(({ id }) => {
        const view = byId.get(id);
        return view === undefined ? [] : [executorToProto(view)];
      }),
      nextPageToken: last === undefined ? '' : encodePosition(scope, last.name),
    };
  };
}
