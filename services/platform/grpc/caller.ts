import { timingSafeEqual } from 'node:crypto';
import type { DescMethod } from '@bufbuild/protobuf';
import {
  type ContextKey,
  type ContextValues,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import type { Secret } from '../config.ts';
import { StatusError } from '../errors.ts';
import { ACCOUNT_HEADER, INTERNAL_TOKEN_HEADER, REQUEST_ID_HEADER, ROLE_HEADER, SUBJECT_HEADER } from '../identity.ts';
import type { Authenticate, HeaderReader } from './authenticate.ts';

const ROLES = ['viewer', 'operator', 'admin'] as const;

/** Who calls, as the gateway found out. */
export interface Caller {
  readonly accountId: string;
  readonly role: (typeof ROLES)[number];
  /** Name of the token, for logs and history. */
  readonly subject: string;
}

/** Where the authenticator leaves the caller for handlers. */
export const callerKey: ContextKey<Caller | undefined> = createContextKey<Caller | undefined>(undefined, {
  description: 'caller',
});

/** The caller of an RPC. @throws UNAUTHENTICATED when none was established. */
export function callerOf(context: HandlerContext): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) {
    throw new StatusError(
      'Unauthenticated',
      'CREDENTIAL_INVALID',
      'this call names no account; call through the gateway',
    );
  }
  return caller;
}

/**
 * Accepts calls of other services of this platform: the internal token must match, then the identity headers are believed.
 * Health checks need no token. A call without identity headers has no caller.
 */
export function internalAuthenticator(internalToken: Secret): Authenticate {
  const expected = Buffer.from(internalToken.reveal());
  return (headers: HeaderReader, method: DescMethod): Promise<ContextValues | undefined> => {
    if (method.parent.typeName === 'grpc.health.v1.Health') return Promise.resolve(undefined);
    const token = headers.get(INTERNAL_TOKEN_HEADER);
    if (token === null || !isSame(Buffer.from(token), expected)) {
      return Promise.reject(
        new StatusError(
          'Unauthenticated',
          'CREDENTIAL_INVALID',
          'this port serves the platform itself; call the gateway with a token instead',
          // Whoever was given this address by mistake has no wrong credential.
          { metadata: { port: 'internal' } },
        ),
      );
    }
    const accountId = headers.get(ACCOUNT_HEADER);
    const role = ROLES.find((name) => name === headers.get(ROLE_HEADER));
    const values = createContextValues();
    if (accountId !== null && accountId !== '' && role !== undefined) {
      values.set(callerKey, { accountId, role, subject: decodeSubject(headers.get(SUBJECT_HEADER) ?? '') });
    }
    return Promise.resolve(values);
  };
}

/** Headers with which a service calls another one; `caller` undefined when it calls for itself. */
export function internalHeaders(
  internalToken: Secret,
  caller: Caller | undefined,
  requestId: string | undefined,
): Record<string, string> {
  return {
    [INTERNAL_TOKEN_HEADER]: internalToken.reveal(),
    ...(requestId === undefined ? {} : { [REQUEST_ID_HEADER]: requestId }),
    ...(caller === undefined
      ? {}
      : {
          [ACCOUNT_HEADER]: caller.accountId,
          [ROLE_HEADER]: caller.role,
          [SUBJECT_HEADER]: encodeURIComponent(caller.subject),
        }),
  };
}

function decodeSubject(subject: string): string {
  try {
    return decodeURIComponent(subject);
  } catch (thrown) {
    if (thrown instanceof URIError) return subject;
    throw thrown;
  }
}

/** Takes the same time wherever two tokens of one length differ. How long ours are is no secret. */
function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
