import type { Pool } from 'pg';
import type { StoredInstance } from '../domain/stored-instance.ts';
import { type InstanceRow, readInstanceRow } from './instance-row.ts';
import { listFollowedAccounts } from './instance-statements.ts';
import {
  claimInstances,
  countShares,
  forgetEvaluators,
  listOwned,
  readControlled,
  releaseEvaluator,
  releaseInstances,
  renewEvaluatorLease,
} from './lease-statements.ts';
import { run } from './statement.ts';

/** One life of a replica's process. */
export interface Owner {
  readonly ownerId: string;
  readonly replicaId: string;
  readonly address: string;
}

export interface Shares {
  readonly replicas: number;
  readonly live: number;
  readonly own: number;
}

export async function renewLease(pool: Pool, owner: Owner, ttlMs: number): Promise<void> {
  await run(pool, renewEvaluatorLease, [owner.ownerId, owner.replicaId, owner.address, ttlMs]);
}

export async function readShares(pool: Pool, ownerId: string): Promise<Shares> {
  const [row] = await run<{ readonly replicas: number; readonly live: number; readonly own: number }>(
    pool,
    countShares,
    [ownerId],
  );
  return row ?? { replicas: 0, live: 0, own: 0 };
}

/** Claims up to `itemsMax` instances that nobody owns; each comes with its new epoch. */
export async function claim(pool: Pool, ownerId: string, itemsMax: number): Promise<StoredInstance[]> {
  return (await run<InstanceRow>(pool, claimInstances, [ownerId, itemsMax])).map(readInstanceRow);
}

export async function release(pool: Pool, ownerId: string, ids: readonly string[]): Promise<void> {
  await run(pool, releaseInstances, [ownerId, ids]);
}

/** Gives everything up at once, so that nobody has to wait for the lease to end. */
export async function leave(pool: Pool, ownerId: string): Promise<void> {
  await run(pool, releaseEvaluator, [ownerId]);
}

/** Epochs of the instances that the owner has, by id. */
export async function ownedEpochs(pool: Pool, ownerId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await run<{ readonly id: string; readonly lease_epoch: number }>(pool, listOwned, [ownerId]);
  return new Map(rows.map(({ id, lease_epoch: epoch }) => [id, epoch]));
}

/** The owner's instances that somebody else has changed within the last `backMs`. */
export async function controlled(pool: Pool, ownerId: string, backMs: number): Promise<StoredInstance[]> {
  return (await run<InstanceRow>(pool, readControlled, [ownerId, backMs])).map(readInstanceRow);
}

export async function forgetGone(pool: Pool, goneMs: number): Promise<void> {
  await run(pool, forgetEvaluators, [goneMs]);
}

/** Accounts that have live instances. */
export async function followedAccounts(pool: Pool): Promise<string[]> {
  const rows = await run<{ readonly account_id: string }>(pool, listFollowedAccounts, []);
  return rows.map(({ account_id: id }) => id);
}
