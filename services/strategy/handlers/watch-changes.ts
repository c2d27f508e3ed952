import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchChangesRequest,
  WatchChangesRequestSchema,
  type WatchChangesResponse,
  WatchChangesResponseSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import type { ChangePage, Revision } from '../domain/strategy-book.ts';
import { changeToProto } from '../wire/change-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { unknownRevision } from './unknown-revision.ts';
import { createWaker } from '../../platform/waker.ts';

/** Definitions may be large: a page of them stays a few megabytes. */
const CHANGES_PER_PAGE = 50;
/** Without a ring, changes are looked for this often. */
const POLL_MS = 1_000;
/** A watcher that sees nothing learns where the account stands after this and one more look: within 5 s. */
const CHECKPOINT_MS = 4_000;

/** What a watcher needs: where changes are, who rings for them, and the time. */
export type WatchDependencies = Pick<StrategyHandlerDependencies, 'bell' | 'clock'> & {
  readonly book: Pick<StrategyHandlerDependencies['book'], 'changesAfter'>;
};

export function watchChanges(deps: WatchDependencies) {
  return async function* (request: WatchChangesRequest, context: HandlerContext): AsyncGenerator<WatchChangesResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(WatchChangesRequestSchema, request);
    const sinceRevision = checks.revision('since_revision', request.sinceRevision);
    checks.throwIfAny();
    const changes = changesSince(deps, accountId, sinceRevision, context.signal);
    yield* keepingUp(changes, deps.clock, 'watch again from the last revision that was handled');
  };
}

async function* changesSince(
  { book, bell, clock }: WatchDependencies,
  accountId: string,
  sinceRevision: number,
  signal: AbortSignal,
): AsyncGenerator<WatchChangesResponse> {
  // Subscribed before the first look: what is committed in between rings.
  const waker = createWaker((ring) => bell.onChange(accountId, ring), signal, clock);
  try {
    let revision = sinceRevision;
    let checkpointMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const page = await book.changesAfter(accountId, revision, CHANGES_PER_PAGE);
      if (page.revision < revision) throw unknownRevision(revision, page.revision);
      for (const change of page.changes) {
        yield response(page, change);
        revision = change.number;
      }
      if (revision < page.revision) continue;
      if (clock.steadyMs() - checkpointMs >= CHECKPOINT_MS) {
        // Sending took time, in which the account may have moved on: a checkpoint is of a look right before it.
        if (page.changes.length > 0) continue;
        yield response(page);
        checkpointMs = clock.steadyMs();
      }
      await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
  }
}

function response({ revision, digest }: ChangePage, change?: Revision): WatchChangesResponse {
  return create(WatchChangesResponseSchema, {
    ...(change === undefined ? {} : { change: changeToProto(change) }),
    revision: BigInt(revision),
    digest,
  });
}
