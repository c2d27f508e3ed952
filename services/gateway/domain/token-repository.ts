import type { NewToken, StoredToken, Token } from './token.ts';

/** What the handlers need of storage; `store/token-store.ts` is the implementation on Postgres. */
export interface TokenRepository {
  /** Undefined when no token has that id, in whatever account. */
  find(tokenId: string): Promise<StoredToken | undefined>;
  /** Oldest first, revoked ones included. */
  list(accountId: string): Promise<Token[]>;
  /**
   * @throws StatusError NOT_FOUND without the account, ALREADY_EXISTS when an active token has the name, FAILED_PRECONDITION at
   *   the bound of active tokens.
   */
  create(token: NewToken): Promise<Token>;
  /**
   * Ends the token with that id or, failing that, that name; idempotent.
   * @throws StatusError NOT_FOUND, or FAILED_PRECONDITION for the account's last admin.
   */
  revoke(accountId: string, idOrName: string): Promise<Token>;
  /**
   * Opens an account together with its first admin token.
   * @throws StatusError ALREADY_EXISTS.
   */
  createAccount(founder: NewToken): Promise<Token>;
}
