import type { Pool, PoolClient } from 'pg';
import { notFound } from '../../platform/errors.ts';
import {
  ACTIVE_TOKENS_MAX,
  lastAdmin,
  nameTaken,
  type NewToken,
  type StoredToken,
  type Token,
  tooManyTokens,
} from '../domain/token.ts';
import type { TokenRepository } from '../domain/token-repository.ts';
import { insertAccount, lockAccount, lockFounding, probe } from './account-statements.ts';
import { type Queryable, query, read, transaction } from './query.ts';
import { type CountRow, type TokenRow, tokenOf } from './token-row.ts';
import {
  anyToken,
  countActiveTokens,
  findToken,
  insertToken,
  listTokens,
  resolveToken,
  revokeToken,
} from './token-statements.ts';

/** Tokens and accounts in the schema `gateway`. Every method throws UNAVAILABLE while Postgres is away. */
export class TokenStore implements TokenRepository {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async find(tokenId: string): Promise<StoredToken | undefined> {
    const [row] = await read<TokenRow>(this.#pool, findToken, [tokenId]);
    return row === undefined ? undefined : tokenOf(row);
  }

  async list(accountId: string): Promise<Token[]> {
    return (await read<TokenRow>(this.#pool, listTokens, [accountId])).map(tokenOf);
  }

  create(token: NewToken): Promise<Token> {
    return transaction(this.#pool, async (client) => {
      await lockExisting(client, token.accountId);
      const { active } = await counts(client, token.accountId);
      if (active >= ACTIVE_TOKENS_MAX) throw tooManyTokens(token.accountId);
      return insert(client, token);
    });
  }

  revoke(accountId: string, idOrName: string): Promise<Token> {
    return transaction(this.#pool, async (client) => {
      await lockExisting(client, accountId);
      const [row] = await query<TokenRow>(client, resolveToken, [accountId, idOrName]);
      if (row === undefined) throw notFound('token', idOrName);
      const token = tokenOf(row);
      if (token.revokeTimeMs !== undefined) return token;
      if (token.role === 'admin' && (await counts(client, accountId)).admins === 1) throw lastAdmin(token);
      const [revoked] = await query<TokenRow>(client, revokeToken, [token.id]);
      return revoked === undefined ? token : tokenOf(revoked);
    });
  }

  createAccount(founder: NewToken): Promise<Token> {
    return transaction(this.#pool, async (client) => {
      const made = await query(client, insertAccount, [founder.accountId]);
      if (made.length === 0) throw nameTaken('account', founder.accountId);
      return insert(client, founder);
    });
  }

  /**
   * Makes the founding account's first token when there is no token at all, and hands it to `deliver` before the commit: a
   * bearer that could not be delivered is then never valid, and the next start tries again. Returns undefined when tokens exist.
   * Of several callers at once, one founds and the others wait for it.
   */
  found(founder: NewToken, deliver: () => Promise<void>): Promise<Token | undefined> {
    return transaction(this.#pool, async (client) => {
      await query(client, lockFounding, []);
      const [any] = await query<{ readonly found: boolean }>(client, anyToken, []);
      if (any?.found === true) return undefined;
      await query(client, insertAccount, [founder.accountId]);
      const token = await insert(client, founder);
      await deliver();
      return token;
    });
  }

  /** Makes an admin token of an account that may be new. @throws StatusError ALREADY_EXISTS when the name is taken. */
  recover(token: NewToken): Promise<Token> {
    return transaction(this.#pool, async (client) => {
      await query(client, insertAccount, [token.accountId]);
      return insert(client, token);
    });
  }

  /** Resolves when Postgres answers and holds the schema. */
  async probe(): Promise<void> {
    await read(this.#pool, probe, []);
  }
}

async function insert(client: PoolClient, token: NewToken): Promise<Token> {
  const parameters = [token.id, token.accountId, token.name, token.role, token.secretDigest];
  const [row] = await query<TokenRow>(client, insertToken, parameters);
  if (row === undefined) throw nameTaken('token', token.name);
  return tokenOf(row);
}

async function lockExisting(client: PoolClient, accountId: string): Promise<void> {
  const rows = await query(client, lockAccount, [accountId]);
  if (rows.length === 0) throw notFound('account', accountId);
}

async function counts(client: Queryable, accountId: string): Promise<CountRow> {
  const [row] = await query<CountRow>(client, countActiveTokens, [accountId]);
  return row ?? { active: 0, admins: 0 };
}
