import { useQuery } from '@connectrpc/connect-query';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';

const STALE_MS = 30_000;
const NAMES_MAX = 1_000;

/** Names of the account's executors, for choosing one. */
export function useExecutorNames(): readonly string[] {
  const { data } = useQuery(ExecutorService.method.listExecutors, { pageSize: NAMES_MAX }, { staleTime: STALE_MS });
  return data?.executors.map(({ name }) => name) ?? [];
}
