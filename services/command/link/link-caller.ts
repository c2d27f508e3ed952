import type { DescMethod } from '@bufbuild/protobuf';
import { type ContextKey, createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Clock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import type { Authenticate } from '../../platform/grpc/server.ts';
import type { CredentialCheck } from '../domain/credential.ts';
import type { NewRefusal, RefusalReason } from '../domain/refusal.ts';
import type { LinkCaller } from './accept.ts';

const linkCallerKey: ContextKey<LinkCaller | undefined> = createContextKey<LinkCaller | undefined>(undefined, {
  description: 'link caller',
});

const BEARER = /^Bearer (k[0-9a-f]+)\.([A-Za-z0-9_-]+)$/;

export interface LinkAuthenticatorDependencies {
  readonly clock: Clock;
  readonly verify: (keyId: string, secret: string) => Promise<CredentialCheck>;
  /** Told of calls for a stream or a poll that name a key of an executor and are refused. */
  readonly refused: (refusal: NewRefusal) => void;
}

/** A key that is an executor's, and opens nothing. */
type RefusedCheck = Extract<CredentialCheck, { readonly type: 'wrong_secret' | 'revoked' | 'disabled' }>;

/** Checks an executor's key and secret before anything else of its call is read. */
export function linkAuthenticator({ clock, verify, refused }: LinkAuthenticatorDependencies): Authenticate {
  return async (headers, method) => {
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
        throw belongsToNobody();
      case 'wrong_secret':
      case 'revoked':
      case 'disabled': {
        const refusal = refusalOf(check, method, clock.nowMs());
        if (refusal !== undefined) refused(refusal);
        throw errorOf(check);
      }
      default:
        return check satisfies never;
    }
  };
}

export function linkCallerOf(context: HandlerContext): LinkCaller {
  const caller = context.values.get(linkCallerKey);
  if (caller === undefined)
    throw new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', 'the call names no executor');
  return caller;
}

function belongsToNobody(): StatusError {
  return new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', 'this key and secret belong to no executor');
}

function errorOf(check: RefusedCheck): StatusError {
  const { type, keyId, name } = check;
  switch (type) {
    case 'wrong_secret':
      return belongsToNobody();
    case 'revoked':
      return new StatusError(
        'Unauthenticated',
        'CREDENTIAL_REVOKED',
        `credential ${keyId} has ended; use the one it was rotated to`,
        { metadata: { key_id: keyId } },
      );
    case 'disabled':
      return new StatusError(
        'PermissionDenied',
        'EXECUTOR_DISABLED',
        `executor "${name}" was disabled by an operator`,
        { metadata: { executor: name } },
      );
    default:
      return type satisfies never;
  }
}

const REASONS = {
  wrong_secret: 'CREDENTIAL_INVALID',
  revoked: 'CREDENTIAL_REVOKED',
  disabled: 'EXECUTOR_DISABLED',
} as const satisfies Record<RefusedCheck['type'], RefusalReason>;

/** Undefined for a call that asks for no link: who only looks whether one would work is not an agent that is kept out. */
function refusalOf(check: RefusedCheck, method: DescMethod, atMs: number): NewRefusal | undefined {
  const link = linkOf(method);
  if (link === undefined) return undefined;
  const { type, accountId, executorId, keyId } = check;
  const isProven = type !== 'wrong_secret';
  const message = isProven ? errorOf(check).message : `key ${keyId} came with a wrong secret`;
  return { accountId, executorId, atMs, reason: REASONS[type], message, keyId, isProven, link, agent: null };
}

function linkOf(method: DescMethod): 'STREAM' | 'POLL' | undefined {
  if (method === ExecutorLinkService.method.connect) return 'STREAM';
  return method === ExecutorLinkService.method.pollCommands ? 'POLL' : undefined;
}
