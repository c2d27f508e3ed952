import type { Pool } from 'pg';
import { type Executor, isId } from '../domain/executor.ts';
import type { ExecutorBook } from '../domain/executor-book.ts';
import { run } from './command-store.ts';
import { type ExecutorRow, type ExecutorViewRow, readExecutorRow } from './executor-row.ts';
import {
  createExecutor,
  disableExecutor,
  findExecutors,
  listExecutors,
  lockExecutor,
  readExecutorVersions,
  readExecutorViews,
  rotateCredential,
} from './executor-statements.ts';
import { inTransaction } from './transaction.ts';

/** Ended ones stay stored for ever, so that their use is told apart from a key that never was; so many are shown. */
const CREDENTIALS_SHOWN_MAX = 20;

/** An executor as somebody names it. */
export interface ExecutorKey {
  readonly accountId: string;
  readonly nameOrId: string;
}

/** One answer a key, in order; undefined where the account has no such executor. */
export async function readExecutors(pool: Pool, keys: readonly ExecutorKey[]): Promise<(Executor | undefined)[]> {
  const rows = await run<ExecutorRow & { readonly ord: number }>(pool, findExecutors, [
    keys.map((key) => key.accountId),
    keys.map((key) => (isId(key.nameOrId) ? null : key.nameOrId)),
    keys.map((key) => (isId(key.nameOrId) ? key.nameOrId : null)),
  ]);
  const found = new Map(rows.map((row) => [row.ord, readExecutorRow(row)]));
  return keys.map((_, index) => found.get(index + 1));
}

/** The stored executors; `queuedMax`: open commands that each may have. */
export function executorBook(pool: Pool, queuedMax: number): ExecutorBook {
  return {
    async create({ id, accountId, name, labels, credential }) {
      const values = [accountId, id, name, JSON.stringify(labels), credential.keyId, credential.secretHash];
      return (await run(pool, createExecutor, values)).length > 0;
    },
    async views(accountId, ids) {
      const rows = await run<ExecutorViewRow>(pool, readExecutorViews, [accountId, ids, CREDENTIALS_SHOWN_MAX]);
      return rows.map((row) => ({
        executor: readExecutorRow(row),
        inFlight: row.in_flight,
        queued: row.queued,
        queuedMax,
        credentials: row.credentials,
        refusal: row.refusal,
      }));
    },
    list(accountId, { afterName, executorsMax, labels }) {
      return run<{ id: string; name: string }>(pool, listExecutors, [
        accountId,
        afterName,
        JSON.stringify(labels),
        executorsMax,
      ]);
    },
    versions(accountId, executorId) {
      return run<{ id: string; version: string }>(pool, readExecutorVersions, [accountId, executorId ?? null]);
    },
    rotate(accountId, executorId, credential, overlapMs) {
      return inTransaction(pool, async (client) => {
        const [locked] = await run<{ disabled: boolean }>(client, lockExecutor, [accountId, executorId]);
        if (locked === undefined || locked.disabled) return false;
        await run(client, rotateCredential, [executorId, credential.keyId, credential.secretHash, overlapMs]);
        return true;
      });
    },
    disable(accountId, executorId) {
      return inTransaction(pool, async (client) => {
        const [locked] = await run<{ disabled: boolean }>(client, lockExecutor, [accountId, executorId]);
        if (locked?.disabled === false) await run(client, disableExecutor, [executorId]);
      });
    },
  };
}
