import { Code, type ConnectError } from '@connectrpc/connect';
import { reasonOf } from '../../services/platform/grpc/status.ts';

/** How the platform ends a call: its status, and the reason beside it when it gives one. */
export function endOf(error: ConnectError): { readonly code: string; readonly reason?: string } {
  const reason = reasonOf(error);
  return { code: Code[error.code], ...(reason === undefined ? {} : { reason }) };
}
