import { createHash, randomBytes } from 'node:crypto';

/** An operator's bearer is `sop_<tokenId>_<secret>`: recognisable to people and to secret scanners. */
const BEARER_PATTERN = /^sop_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;
const EXECUTOR_CREDENTIAL_PATTERN = /^[^.\s]{1,128}\.[A-Za-z0-9_-]{43}$/;
const SECRET_BYTES = 32;

/** A credential as presented, with the secret already replaced by its digest. */
export interface PresentedToken {
  readonly tokenId: string;
  /** sha256 of the secret, 32 bytes. Random secrets of 256 bits are hashed, not stretched. */
  readonly secretDigest: Buffer;
}

export interface IssuedBearer extends PresentedToken {
  /** What goes behind "Authorization: Bearer "; shown once. */
  readonly bearer: string;
}

/** Makes the secret of a new token. `tokenId` must be 32 hexadecimal digits. */
export function issueBearer(tokenId: string): IssuedBearer {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { tokenId, secretDigest: digestOf(secret), bearer: `sop_${tokenId}_${secret}` };
}

/** The value behind "Bearer " of an authorization header, or undefined when the header is absent or of another scheme. */
export function bearerValue(authorization: string | null): string | undefined {
  return authorization === null ? undefined : /^bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** Undefined when the value does not have the form of an operator's bearer. */
export function parseBearer(value: string): PresentedToken | undefined {
  const match = BEARER_PATTERN.exec(value);
  const [, tokenId, secret] = match ?? [];
  return tokenId === undefined || secret === undefined ? undefined : { tokenId, secretDigest: digestOf(secret) };
}

/** True for `<key_id>.<secret>`, the form of an executor's credential. */
export function isExecutorCredential(value: string): boolean {
  return EXECUTOR_CREDENTIAL_PATTERN.test(value);
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
