import { ROLES } from '../domain/role.ts';
import type { StoredToken } from '../domain/token.ts';

/** A row of gateway.token as node-postgres reads it. */
export interface TokenRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly role: string;
  readonly secret_hash: Buffer;
  readonly create_time: Date;
  readonly revoke_time: Date | null;
}

export interface CountRow {
  readonly active: number;
  readonly admins: number;
}

/** @throws Error for a role that this release does not know: better no access than a guessed one. */
export function tokenOf(row: TokenRow): StoredToken {
  const role = ROLES.find((name) => name === row.role);
  if (role === undefined)
    throw new Error(`token ${row.id} has the role "${row.role}", which this release does not know`);
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    role,
    secretDigest: row.secret_hash,
    createTimeMs: row.create_time.getTime(),
    revokeTimeMs: row.revoke_time?.getTime(),
  };
}
