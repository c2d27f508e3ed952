import { timingSafeEqual } from 'node:crypto';
import { type FieldViolation, StatusError, notFound } from '../../platform/errors.ts';
import type { PresentedToken } from './bearer.ts';
import { nameViolations } from './name.ts';
import type { Role } from './role.ts';

/** The account that the first start makes; its admins open other accounts. */
export const FOUNDING_ACCOUNT_ID = 'main';
/** Name of the first token of every account. */
export const FOUNDER_TOKEN_NAME = 'founder';
/** Tokens of one account that are not revoked. */
export const ACTIVE_TOKENS_MAX = 1_000;

export interface Token {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly role: Role;
  readonly createTimeMs: number;
  readonly revokeTimeMs: number | undefined;
}

/** A token with the sha256 of its secret, as it is at rest. */
export interface StoredToken extends Token {
  readonly secretDigest: Buffer;
}

export type NewToken = Omit<StoredToken, 'createTimeMs' | 'revokeTimeMs'>;

const NO_DIGEST = Buffer.alloc(32);

/**
 * Decides whether a presented credential is the stored one.
 * @throws StatusError UNAUTHENTICATED, with one sentence for unknown ids and wrong secrets alike; CREDENTIAL_REVOKED only to
 *   who knows the secret.
 */
export function checkPresented(presented: PresentedToken, stored: StoredToken | undefined): StoredToken {
  const matches = timingSafeEqual(presented.secretDigest, stored?.secretDigest ?? NO_DIGEST);
  if (stored === undefined || !matches)
    throw credentialInvalid('the operator token is not known here; check it, or make another');
  if (stored.revokeTimeMs !== undefined) {
    throw new StatusError(
      'Unauthenticated',
      'CREDENTIAL_REVOKED',
      `the token "${stored.name}" was revoked at ${new Date(stored.revokeTimeMs).toISOString()}; use another`,
      { metadata: { key_id: stored.id } },
    );
  }
  return stored;
}

export function credentialInvalid(message: string): StatusError {
  return new StatusError('Unauthenticated', 'CREDENTIAL_INVALID', message);
}

export function newTokenViolations(request: { name: string; role: Role | undefined }): FieldViolation[] {
  const violations = nameViolations('name', request.name);
  if (request.role === undefined) {
    violations.push({ field: 'role', description: 'must be ROLE_VIEWER, ROLE_OPERATOR or ROLE_ADMIN' });
  }
  return violations;
}

/**
 * The account in which a new token is made: the caller's own, or the named one for the founding account's admins.
 * @throws StatusError NOT_FOUND for everybody else: other accounts do not exist for them.
 */
export function accountForNewToken(callerAccountId: string, requestedAccountId: string): string {
  if (requestedAccountId === '' || requestedAccountId === callerAccountId) return callerAccountId;
  if (callerAccountId !== FOUNDING_ACCOUNT_ID) throw notFound('account', requestedAccountId);
  return requestedAccountId;
}

/** @throws StatusError PERMISSION_DENIED unless the caller belongs to the founding account. */
export function requireFoundingAccount(callerAccountId: string): void {
  if (callerAccountId === FOUNDING_ACCOUNT_ID) return;
  throw new StatusError(
    'PermissionDenied',
    'ROLE_INSUFFICIENT',
    `only admins of the account "${FOUNDING_ACCOUNT_ID}" open accounts; this token belongs to "${callerAccountId}"`,
    { metadata: { role: 'admin', required: `admin of ${FOUNDING_ACCOUNT_ID}` } },
  );
}

export function nameTaken(resource: 'token' | 'account', name: string): StatusError {
  const next = resource === 'token' ? 'choose another, or revoke the token that has it' : 'choose another';
  return new StatusError('AlreadyExists', 'NAME_TAKEN', `the ${resource} name "${name}" is taken; ${next}`, {
    metadata: { resource, name },
  });
}

/** An account without an admin could never be managed again. */
export function lastAdmin(token: Token): StatusError {
  return new StatusError(
    'FailedPrecondition',
    'STATE_ILLEGAL',
    `"${token.name}" is the last admin token of account "${token.accountId}"; make another admin token first`,
    { metadata: { state: 'LAST_ADMIN', token: token.id } },
  );
}

export function tooManyTokens(accountId: string): StatusError {
  return new StatusError(
    'FailedPrecondition',
    'STATE_ILLEGAL',
    `account "${accountId}" has ${ACTIVE_TOKENS_MAX} tokens; revoke some that are no longer needed`,
    { metadata: { state: 'TOKENS_MAX', tokens_max: String(ACTIVE_TOKENS_MAX) } },
  );
}
