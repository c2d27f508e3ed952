import { type ContextKey, createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { StatusError } from '../../platform/errors.ts';
import type { Authenticate } from '../../platform/grpc/server.ts';
import type { CredentialCheck } from '../domain/credential.ts';
import type { LinkCaller } from './accept.ts';

const linkCallerKey: ContextKey<LinkCaller | undefined> = createContextKey<LinkCaller | undefined>(undefined, {
  description: 'link caller',
});

const BEARER = /^Bearer (k[0-9a-f]+)\.([A-Za-z0-9_-]+)$/;

/** Checks an executor's key and secret before anything else of its call is read. */
export function linkAuthenticator(verify: (keyId: string, secret: string) => Promise<CredentialCheck>): Authenticate {
  return async (headers) => {
    const [, keyId, secret] = BEARER.exec(headers.get('authorization') ?? '') ?? [];
    if (keyId === undefined || secret === undefined) {
      throw new StatusError(
        'Unauthenticated',
        'CREDENTIAL_INVALID',
        'no executor credential came with the call; send "authorization: Bearer <key_id>.<secret>"',
      );
    }
    const check = await verify(keyId, secret);
    switch (check.type) {
      case 'verified':
        return createContextValues().set(linkCallerKey, {
          executorId: check.executorId,
          accountId: check.accountId,
          executorName: check.name,
          keyId: check.keyId,
          credentialEndMs: check.expireMs,
        });
      case 'unknown':
        throw new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', 'this key and secret belong to no executor');
      case 'revoked':
        throw new StatusError(
          'Unauthenticated',
          'CREDENTIAL_REVOKED',
          `credential ${check.keyId} has ended; use the one it was rotated to`,
          {
            metadata: { key_id: check.keyId },
          },
        );
      case 'disabled':
        throw new StatusError(
          'PermissionDenied',
          'EXECUTOR_DISABLED',
          `executor "${check.name}" was disabled by an operator`,
          {
            metadata: { executor: check.name },
          },
        );
    }
  };
}

export function linkCallerOf(context: HandlerContext): LinkCaller {
  const caller = context.values.get(linkCallerKey);
  if (caller === undefined)
    throw new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', 'the call names no executor');
  return caller;
}
