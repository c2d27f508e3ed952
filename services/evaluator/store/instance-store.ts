import type { Pool } from 'pg';
import type { InstanceBook } from '../domain/instance-book.ts';
import { newInstance } from '../domain/instance.ts';
import { listCacheStates } from './cache-statements.ts';
import { type InstanceRow, readInstanceRow } from './instance-row.ts';
import {
  addEvaluatorAccount,
  closeInstances,
  endInstances,
  findInstance,
  listInstancesOf,
  pauseInstancesById,
  readInstancesById,
  wantInstances,
} from './instance-statements.ts';
import { readOwnerAddress } from './lease-statements.ts';
import { run } from './statement.ts';
import { storeOutcomes } from './step-statements.ts';

/** The instances in Postgres. */
export function instanceBook(pool: Pool): InstanceBook {
  return {
    want: async (accountId, sessionId, paused, wanted) => {
      await run(pool, addEvaluatorAccount, [accountId]);
      const rows = wanted.map((each) => ({ ...each, data: newInstance(each.id, 0) }));
      const stored = await run<{ readonly id: string }>(pool, wantInstances, [
        accountId,
        sessionId,
        paused,
        JSON.stringify(rows),
      ]);
      return new Set(stored.map(({ id }) => id));
    },
    end: async (accountId, ids) => {
      await run(pool, endInstances, [accountId, ids]);
    },
    close: async (accountId, ids) => {
      await run(pool, closeInstances, [accountId, ids]);
    },
    pause: async (accountId, ids, paused) => {
      await run(pool, pauseInstancesById, [accountId, ids, paused]);
    },
    getMany: async (accountId, ids) => {
      const rows = await run<InstanceRow>(pool, readInstancesById, [accountId, ids]);
      return new Map(rows.map((row) => [row.id, readInstanceRow(row)]));
    },
    list: async (accountId, { sessionId, strategyId, ended }, itemsMax) => {
      const values = [accountId, sessionId, strategyId, ended, itemsMax];
      return (await run<InstanceRow>(pool, listInstancesOf, values)).map(readInstanceRow);
    },
    find: async (accountId, { sessionId, strategy, symbol }) => {
      const [row] = await run<InstanceRow>(pool, findInstance, [accountId, sessionId, strategy, symbol]);
      return row === undefined ? undefined : readInstanceRow(row);
    },
    ownerOf: async (id) => {
      const [row] = await run<{ readonly owner_id: string; readonly address: string }>(pool, readOwnerAddress, [id]);
      return row === undefined ? undefined : { ownerId: row.owner_id, address: row.address };
    },
    listCaches: async (accountId) => {
      const rows = await run<CacheRow>(pool, listCacheStates, [accountId]);
      return rows.map((row) => ({
        replicaId: row.replica_id,
        appliedRevision: row.applied_revision,
        digest: row.digest,
        timeMs: row.update_time,
      }));
    },
    storeOutcomes: async (accountId, outcomes) => {
      await run(pool, addEvaluatorAccount, [accountId]);
      const rows = outcomes.map(({ id, instanceId, body }, place) => ({ id, instance: instanceId, place, body }));
      await run(pool, storeOutcomes, [accountId, JSON.stringify(rows)]);
    },
  };
}

interface CacheRow {
  readonly replica_id: string;
  readonly applied_revision: number;
  readonly digest: string;
  readonly update_time: number;
}
