import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type WatchExecutorsRequest,
  WatchExecutorsRequestSchema,
  type WatchExecutorsResponse,
  WatchExecutorsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { executorToProto } from '../wire/executor-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { ExecutorHandlerDependencies } from './dependencies.ts';
import { keepingUp } from '../../platform/grpc/keeping-up.ts';
import { startPulse } from '../../platform/grpc/pulse.ts';
import { createWaker } from '../../platform/waker.ts';

/** Not everything rings: a replica that dies, a queue that grows. */
const POLL_MS = 1_000;
const VIEWS_PER_READ = 200;

export function watchExecutors(deps: ExecutorHandlerDependencies) {
  return async function* (
    request: WatchExecutorsRequest,
    context: HandlerContext,
  ): AsyncGenerator<WatchExecutorsResponse> {
    const { accountId } = callerOf(context);
    const checks = checksOf(WatchExecutorsRequestSchema, request);
    checks.text('executor', request.executor);
    checks.throwIfAny();
    const { directory } = deps;
    const executorId = request.executor === '' ? undefined : (await directory.resolve(accountId, request.executor)).id;
    const changes = changedExecutors(deps, { accountId, executorId, checkpoints: request.checkpoints }, context.signal);
    yield* keepingUp(changes, deps.clock, 'watch again');
  };
}

interface Wish {
  readonly accountId: string;
  readonly executorId: string | undefined;
  readonly checkpoints: boolean;
}

/** Each executor whose version differs from the one that was told last; at first that is every executor. */
async function* changedExecutors(
  { book, bell, clock }: ExecutorHandlerDependencies,
  { accountId, executorId, checkpoints }: Wish,
  signal: AbortSignal,
): AsyncGenerator<WatchExecutorsResponse> {
  const told = new Map<string, string>();
  const waker = createWaker((ring) => bell.onExecutors(accountId, ring), signal, clock);
  const pulse = startPulse(clock, checkpoints);
  let isFirst = checkpoints;
  try {
    while (!signal.aborted) {
      const versions = await book.versions(accountId, executorId);
      const changed = versions.filter(({ id, version }) => told.get(id) !== version);
      // The version is older than the view that is read after it: a change in between is told once more, never missed.
      for (const { id, version } of changed) told.set(id, version);
      for (let at = 0; at < changed.length && !signal.aborted; at += VIEWS_PER_READ) {
        const ids = changed.slice(at, at + VIEWS_PER_READ).map(({ id }) => id);
        for (const view of await book.views(accountId, ids)) {
          yield create(WatchExecutorsResponseSchema, { executor: executorToProto(view) });
          pulse.told();
        }
      }
      if ((isFirst || pulse.isDue) && !signal.aborted) {
        yield create(WatchExecutorsResponseSchema);
        pulse.told();
        isFirst = false;
      }
      await waker.wait(POLL_MS);
    }
  } finally {
    waker.stop();
    pulse.stop();
  }
}
