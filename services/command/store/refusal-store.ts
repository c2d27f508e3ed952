import type { Pool } from 'pg';
import type { NewRefusal } from '../domain/refusal.ts';
import { run } from './command-store.ts';
import { keepRefusals } from './refusal-statements.ts';

/** Keeps the latest refusal of each executor; `refusals` name distinct ones. */
export async function storeRefusals(pool: Pool, refusals: readonly NewRefusal[], nowMs: number): Promise<void> {
  // How long ago, and not when: Postgres says when an agent was accepted, and one clock has to say which came first.
  const values = [
    refusals.map(({ executorId }) => executorId),
    refusals.map(({ atMs }) => Math.max(0, nowMs - atMs)),
    refusals.map(({ reason }) => reason),
    refusals.map(({ message }) => message),
    refusals.map(({ keyId }) => keyId),
    refusals.map(({ isProven }) => isProven),
    refusals.map(({ link }) => link),
    refusals.map(({ agent }) => agent?.version ?? null),
    refusals.map(({ agent }) => agent?.contractDigest ?? null),
    refusals.map(({ agent }) => agent?.host ?? null),
  ];
  await run(pool, keepRefusals, values);
}
