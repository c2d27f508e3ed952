import type { CallOptions } from '@connectrpc/connect';
import type { Secret } from '../../platform/config.ts';
import { messageOf, type StatusError, unavailable } from '../../platform/errors.ts';
import { internalHeaders } from '../../platform/grpc/caller.ts';
import { ConnectError, Code } from '@connectrpc/connect';
import type { Asker } from '../domain/neighbours.ts';

/** How long another service may take; its answer is awaited by a person. */
const CALL_MS_MAX = 3_000;

/** Options of a call to another service, for an account and as this service. */
export function callAs(internalToken: Secret, { accountId, requestId }: Asker): CallOptions {
  const caller = { accountId, role: 'admin', subject: 'strategy' } as const;
  const headers = internalHeaders(internalToken, caller, requestId === '' ? undefined : requestId);
  return { headers, timeoutMs: CALL_MS_MAX };
}

/** What a failed call to `service` means to our own caller: that it may come again, unless the failure is ours. */
export function awayError(service: string, consequence: string, thrown: unknown): StatusError | ConnectError {
  if (thrown instanceof ConnectError && !AWAY.has(thrown.code)) return thrown;
  return unavailable(
    service,
    `the ${service} service did not answer (${rawMessageOf(thrown)}), so ${consequence}`,
    thrown,
  );
}

const AWAY: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Unimplemented]);

export function rawMessageOf(thrown: unknown): string {
  return thrown instanceof ConnectError ? thrown.rawMessage : messageOf(thrown);
}
