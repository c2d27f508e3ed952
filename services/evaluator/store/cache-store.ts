import type { Pool } from 'pg';
import { keepDefinition, noteCaches, readDefinition } from './cache-statements.ts';
import { run } from './statement.ts';

export interface CacheNote {
  readonly accountId: string;
  readonly appliedRevision: number;
  readonly digest: string;
}

export async function storeCaches(pool: Pool, ownerId: string, notes: readonly CacheNote[]): Promise<void> {
  await run(pool, noteCaches, [
    ownerId,
    notes.map(({ accountId }) => accountId),
    notes.map(({ appliedRevision }) => appliedRevision),
    notes.map(({ digest }) => digest),
  ]);
}

/** Names one revision of a strategy. */
export interface DefinitionKey {
  readonly accountId: string;
  readonly strategyId: string;
  readonly revision: number;
}

/** Keeps a definition in its protobuf form. */
export async function storeDefinition(pool: Pool, key: DefinitionKey, payload: Uint8Array): Promise<void> {
  await run(pool, keepDefinition, [key.accountId, key.strategyId, key.revision, Buffer.from(payload)]);
}

export async function storedDefinition(pool: Pool, key: DefinitionKey): Promise<Uint8Array | undefined> {
  const [row] = await run<{ readonly payload: Buffer }>(pool, readDefinition, [
    key.accountId,
    key.strategyId,
    key.revision,
  ]);
  return row?.payload;
}
