import { useQuery } from '@connectrpc/connect-query';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import type { Halt } from '../../../proto/gen/strategos/session/v1/session_pb.js';

const LOOK_MS = 2_000;
const REST_MS = 4_000;

/**
 * The newest use of the kill switch that waits for somebody, or the newest of all; undefined when there is none or it is not
 * known. The frame of the pages looks for all of them: a page reads what it has found.
 */
export function useNewestHalt(looks: 'looks' | 'reads'): Halt | undefined {
  const { data } = useQuery(
    SessionService.method.getHalt,
    {},
    {
      retry: false,
      enabled: looks === 'looks',
      refetchInterval: ({ state }) => (state.data?.halt?.over === false ? LOOK_MS : REST_MS),
    },
  );
  return data?.halt;
}
