import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  type GetCommandStatsRequest,
  GetCommandStatsRequestSchema,
  type GetCommandStatsResponse,
  GetCommandStatsResponseSchema,
  type LatencySummary,
  LatencySummarySchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { callerOf } from '../../platform/grpc/caller.ts';
import { type CommandState, OPEN_STATES, TERMINAL_STATES } from '../domain/command.ts';
import type { Latency } from '../domain/command-reader.ts';
import { checksOf } from '../wire/request-checks.ts';
import { stateToProto } from '../wire/state.ts';
import { timestampOf } from '../wire/time.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

const DAY_MS = 24 * 3_600_000;
const WINDOW_MS_MAX = 30 * DAY_MS;
const EXECUTORS_MAX = 100;
const BUCKETS_MAX = 200;
const STATES: readonly CommandState[] = [...OPEN_STATES, ...TERMINAL_STATES];

export function getCommandStats({ reader, directory, clock }: CommandHandlerDependencies) {
  return async (request: GetCommandStatsRequest, context: HandlerContext): Promise<GetCommandStatsResponse> => {
    const { accountId } = callerOf(context);
    const checks = checksOf(GetCommandStatsRequestSchema, request);
    checks.text('executor', request.executor);
    const windowMs = checks.span('window', request.window, WINDOW_MS_MAX);
    if (windowMs === 0) checks.add('window', 'must be longer than nothing; leave it out for 24 h');
    checks.integer('bucket_count', request.bucketCount, 0, BUCKETS_MAX);
    checks.throwIfAny();
    const executorId = request.executor === '' ? undefined : (await directory.resolve(accountId, request.executor)).id;
    const { bucketCount } = request;
    const untilMs = clock.nowMs();
    const sinceMs = untilMs - (windowMs ?? DAY_MS);
    const bucketMs = (untilMs - sinceMs) / Math.max(1, bucketCount);
    const query = { executorId, sinceMs, untilMs, executorsMax: EXECUTORS_MAX, bucketCount };
    const stats = await reader.stats(accountId, query);
    const names = await directory.names(
      accountId,
      stats.executors.map((executor) => executor.executorId),
    );
    return create(GetCommandStatsResponseSchema, {
      states: STATES.flatMap((state) => {
        const count = stats.states.get(state);
        return count === undefined ? [] : [{ state: stateToProto(state), count: BigInt(count) }];
      }),
      kinds: [...stats.kinds].map(([kind, count]) => ({ kind, count: BigInt(count) })),
      count: BigInt(stats.count),
      successRate: stats.successRate,
      acceptedToReceived: latencyToProto(stats.acceptedToReceived),
      acceptedToFinished: latencyToProto(stats.acceptedToFinished),
      executors: stats.executors.map((executor) => ({
        executorId: executor.executorId,
        executorName: names.get(executor.executorId) ?? '',
        count: BigInt(executor.count),
        successRate: executor.successRate,
        acceptedToReceived: latencyToProto(executor.acceptedToReceived),
        acceptedToFinished: latencyToProto(executor.acceptedToFinished),
      })),
      windowStartTime: timestampOf(sinceMs),
      buckets: stats.buckets.map((bucket) => ({
        startTime: timestampOf(sinceMs + bucket.index * bucketMs),
        count: BigInt(bucket.count),
        tried: BigInt(bucket.tried),
        successRate: bucket.successRate,
        acceptedToFinished: latencyToProto(bucket.acceptedToFinished),
      })),
    });
  };
}

function latencyToProto(latency: Latency | null): LatencySummary | undefined {
  if (latency === null) return undefined;
  const { p50Ms, p95Ms, p99Ms, count } = latency;
  return create(LatencySummarySchema, { p50Ms, p95Ms, p99Ms, count: BigInt(count) });
}
