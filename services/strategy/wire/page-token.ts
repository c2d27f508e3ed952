import { createHash } from 'node:crypto';
import { StatusError } from '../../platform/errors.ts';

/** Tokens of another format are refused rather than misread. */
const VERSION = 1;
const SCOPE_BYTES = 9;
const HEAD_BYTES = 1 + SCOPE_BYTES;
const TOKEN_CHARS_MAX = 1_024;

/**
 * A place in a list as an opaque token, bound to everything that makes the list this list: the RPC, the account, what was asked
 * for. It is no secret, and it grants nothing.
 */
export type PageScope = readonly string[];

export function encodePage(scope: PageScope, position: string): string {
  return Buffer.concat([Buffer.from([VERSION]), digestOf(scope), Buffer.from(position, 'utf8')]).toString('base64url');
}

/** @throws INVALID_ARGUMENT (CURSOR_INVALID) for a token that was not made for this list. */
export function decodePage(scope: PageScope, token: string): string {
  const bytes = token.length <= TOKEN_CHARS_MAX ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  if (bytes.length <= HEAD_BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== token) {
    throw invalidPage('is not one of ours; take it unchanged from a response');
  }
  if (!bytes.subarray(1, HEAD_BYTES).equals(digestOf(scope))) {
    throw invalidPage('was made by a call for something else, of another RPC or for another account');
  }
  return bytes.subarray(HEAD_BYTES).toString('utf8');
}

/** As `decodePage`, for positions that are numbers. */
export function decodePageNumber(scope: PageScope, token: string): number {
  const number = Number(decodePage(scope, token));
  if (!Number.isSafeInteger(number) || number < 0) throw invalidPage('is not one of ours');
  return number;
}

function invalidPage(description: string): StatusError {
  const field = 'page_token';
  return new StatusError('InvalidArgument', 'CURSOR_INVALID', `${field} ${description}`, {
    violations: [{ field, description }],
    metadata: { field },
  });
}

function digestOf(scope: PageScope): Buffer {
  return createHash('sha256').update(JSON.stringify(scope)).digest().subarray(0, SCOPE_BYTES);
}
