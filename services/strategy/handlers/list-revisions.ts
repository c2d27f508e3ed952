import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type ListRevisionsRequest,
  ListRevisionsRequestSchema,
  type ListRevisionsResponse,
  RevisionSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { diffDefinitions, type FieldChange } from '../domain/diff-definitions.ts';
import type { Revision } from '../domain/strategy-book.ts';
import { CHANGE_TYPE_NUMBERS, strategyToProto } from '../wire/change-to-proto.ts';
import { decodePageNumber, encodePage } from '../wire/page-token.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { strategyIdOf } from './naming.ts';
import { fitting } from './page-bytes.ts';

export function listRevisions({ book }: StrategyHandlerDependencies) {
  return async (
    request: ListRevisionsRequest,
    context: HandlerContext,
  ): Promise<Pick<ListRevisionsResponse, 'revisions' | 'nextPageToken'>> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(ListRevisionsRequestSchema, request);
    checks.text('strategy', request.strategy, { required: true });
    const pageSize = checks.pageSize(request.pageSize);
    checks.throwIfAny();
    const id = await strategyIdOf(book, accountId, request.strategy);
    const scope = ['ListRevisions', accountId, id];
    const below = request.pageToken === '' ? Number.MAX_SAFE_INTEGER : decodePageNumber(scope, request.pageToken);
    // One more than the page holds: the last one shown is compared with it.
    const found = await book.revisions(accountId, id, below, pageSize + 1);
    const shown = fitting(found.slice(0, pageSize), (revision) => revision);
    const last = found.length > shown.length ? shown.at(-1) : undefined;
    return {
      revisions: shown.map((revision, index) =>
        create(RevisionSchema, {
          strategy: strategyToProto(revision),
          type: CHANGE_TYPE_NUMBERS[revision.type],
          changes: changesOf(revision, found[index + 1]),
          author: revision.author,
        }),
      ),
      nextPageToken: last === undefined ? '' : encodePage(scope, String(last.number)),
    };
  };
}

/** A deletion changes no field, and what cannot be read cannot be compared. */
function changesOf(revision: Revision, before: Revision | undefined): FieldChange[] {
  if (revision.type === 'DELETED' || revision.definition === undefined) return [];
  return diffDefinitions(before?.definition, revision.definition);
}
