import { ConnectError } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { skipToken } from '@tanstack/react-query';
import { ErrorInfoSchema } from '../../../../proto/gen/google/rpc/error_details_pb.js';
import type { Session } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';

/** The session of which a refused start or activation speaks, with what was missing for each strategy and symbol. */
export function useFailedSession(thrown: unknown): Session | undefined {
  const id = thrown === null || thrown === undefined ? undefined : sessionIdOf(ConnectError.from(thrown));
  return useQuery(SessionService.method.getSession, id === undefined ? skipToken : { id }).data?.session;
}

function sessionIdOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.metadata['session_id'];
}
