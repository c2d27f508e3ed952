import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { NewCredential } from './executor-book.ts';

const SECRET_BYTES = 32;
const KEY_ID_BYTES = 12;

/** A fresh credential. 32 random bytes need no stretching: only their SHA-256 is kept. */
export function newCredential(): NewCredential {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { keyId: `k${randomBytes(KEY_ID_BYTES).toString('hex')}`, secret, secretHash: hashSecret(secret) };
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Compares in constant time. */
export function secretMatches(secret: string, secretHash: Uint8Array): boolean {
  const given = hashSecret(secret);
  return secretHash.length === given.length && timingSafeEqual(given, secretHash);
}

/** Whose a key is. */
export interface KeyOwner {
  readonly keyId: string;
  readonly executorId: string;
  readonly accountId: string;
  readonly name: string;
}

/** Who a verified credential belongs to. */
export interface VerifiedCredential extends KeyOwner {
  readonly type: 'verified';
  /** When it ends; null when it does not. */
  readonly expireMs: number | null;
}

export type CredentialCheck =
  | VerifiedCredential
  /** No such key. */
  | { readonly type: 'unknown' }
  /** A key with another secret: the caller is told what he is told of no such key. */
  | ({ readonly type: 'wrong_secret' } & KeyOwner)
  /** Ended by a rotation. */
  | ({ readonly type: 'revoked' } & KeyOwner)
  | ({ readonly type: 'disabled' } & KeyOwner);
