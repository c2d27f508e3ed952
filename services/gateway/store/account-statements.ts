import type { Statement } from './statement.ts';

/** $1 account. No row when it exists. */
export const insertAccount: Statement = {
  name: 'insert_account',
  text: 'INSERT INTO gateway.account (id) VALUES ($1) ON CONFLICT (id) DO NOTHING RETURNING id',
};

/** $1 account. Held by everything that counts the account's tokens before it changes them. No row without the account. */
export const lockAccount: Statement = {
  name: 'lock_account',
  text: 'SELECT id FROM gateway.account WHERE id = $1 FOR UPDATE',
};

/** Held until the end of the transaction by the replica that founds the platform; the others wait, and find it done. */
export const lockFounding: Statement = {
  name: 'lock_founding',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('strategos gateway founding', 0))`,
};

/** Answers when the database does. */
export const probe: Statement = {
  name: 'probe',
  text: 'SELECT 1 AS alive FROM gateway.account LIMIT 1',
};
