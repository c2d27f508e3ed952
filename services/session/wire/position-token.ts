import { createHash } from 'node:crypto';
import { StatusError } from '../../platform/errors.ts';

/** Tokens of another format are refused rather than misread. */
const VERSION = 1;
const SCOPE_BYTES = 9;
const HEAD_BYTES = 1 + SCOPE_BYTES;
const TOKEN_CHARS_MAX = 512;

/** What a place is a place in: a token of another account, of other filters or of another RPC is refused. */
export interface PositionScope {
  /** The request field that carries the token. */
  readonly field: 'page_token' | 'cursor';
  readonly bound: readonly unknown[];
}

/** A place in a list or a stream as an opaque token. It is no secret, and it grants nothing. */
export function encodePosition(scope: PositionScope, position: string): string {
  return Buffer.concat([Buffer.from([VERSION]), digestOf(scope), Buffer.from(position, 'utf8')]).toString('base64url');
}

/** @throws INVALID_ARGUMENT (CURSOR_INVALID) for a token that was not made for this scope, or whose place has another form. */
export function decodePosition(scope: PositionScope, token: string, form: RegExp): string {
  const bytes = token.length <= TOKEN_CHARS_MAX ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  if (bytes.length <= HEAD_BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== token) {
    throw invalidPosition(scope, 'is not one of ours; take it unchanged from a response');
  }
  if (!bytes.subarray(1, HEAD_BYTES).equals(digestOf(scope))) {
    throw invalidPosition(scope, 'was made by a call with other filters, of another RPC or for another account');
  }
  const position = bytes.subarray(HEAD_BYTES).toString('utf8');
  if (!form.test(position)) throw invalidPosition(scope, 'is not one of ours; take it unchanged from a response');
  return position;
}

export function invalidPosition({ field }: PositionScope, description: string): StatusError {
  return new StatusError('InvalidArgument', 'CURSOR_INVALID', `${field} ${description}`, {
    violations: [{ field, description }],
    metadata: { field },
  });
}

function digestOf({ field, bound }: PositionScope): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([field, ...bound]))
    .digest()
    .subarray(0, SCOPE_BYTES);
}
