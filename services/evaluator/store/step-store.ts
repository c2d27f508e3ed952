import type { Pool } from 'pg';
import type { InstanceData, OutcomeRecord } from '../domain/instance.ts';
import type { Freshness, InstanceStatus } from '../domain/stored-instance.ts';
import type { EvaluationBody } from './evaluation-store.ts';
import {
  acknowledgeIntents,
  failInstanceById,
  noteEvaluated,
  readIntents,
  readOpenOutcomes,
  writeSteps,
} from './step-statements.ts';
import { run } from './statement.ts';

/** An instance's row as it is to be. `fromStatus`: the status changes only if it is still that. */
export interface InstanceWrite {
  readonly id: string;
  readonly epoch: number;
  readonly data: InstanceData;
  readonly freshness: Freshness;
  readonly evaluatedSequence: number;
  readonly evaluatedMs: number;
  readonly strategyName: string;
  readonly runningRevision: number;
  readonly fromStatus: InstanceStatus;
  readonly status: InstanceStatus;
  readonly wantedRevision: number;
  readonly fault: string;
}

export interface EvaluationWrite {
  readonly instance: string;
  readonly session: string;
  readonly body: EvaluationBody;
}

export interface IntentWrite {
  readonly id: string;
  readonly instance: string;
  /** strategos.evaluator.v1.Intent */
  readonly payload: Uint8Array;
}

export interface AppliedOutcome {
  readonly id: string;
  readonly instance: string;
}

/** What one statement stores: at most one row an instance; evaluations and intents in order. */
export interface StepBatch {
  readonly instances: readonly InstanceWrite[];
  readonly evaluations: readonly EvaluationWrite[];
  readonly intents: readonly IntentWrite[];
  readonly outcomes: readonly AppliedOutcome[];
}

/** Stores a batch; gives the instances that this owner still has. What belongs to others was not stored. */
export async function storeSteps(
  pool: Pool,
  accountId: string,
  ownerId: string,
  batch: StepBatch,
): Promise<ReadonlySet<string>> {
  const moved = await run<{ readonly id: string }>(pool, writeSteps, [
    accountId,
    ownerId,
    JSON.stringify(batch.instances),
    JSON.stringify(batch.evaluations.map((row, place) => ({ ...row, place }))),
    JSON.stringify(
      batch.intents.map((row, place) => ({ ...row, place, payload: Buffer.from(row.payload).toString('base64') })),
    ),
    JSON.stringify(batch.outcomes),
  ]);
  return new Set(moved.map(({ id }) => id));
}

export interface Progress {
  readonly id: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly timeMs: number;
}

/** Stores how far instances have looked; gives those that this owner still has. */
export async function storeProgress(
  pool: Pool,
  ownerId: string,
  progress: readonly Progress[],
): Promise<ReadonlySet<string>> {
  const rows = await run<{ readonly id: string }>(pool, noteEvaluated, [
    ownerId,
    progress.map(({ id }) => id),
    progress.map(({ epoch }) => epoch),
    progress.map(({ sequence }) => sequence),
    progress.map(({ timeMs }) => timeMs),
  ]);
  return new Set(rows.map(({ id }) => id));
}

export interface OpenOutcome {
  readonly id: string;
  readonly accountId: string;
  readonly instanceId: string;
  readonly body: OutcomeRecord;
}

/** Outcomes that this owner's instances have not taken in, in order; of one account or of all. */
export async function openOutcomes(pool: Pool, ownerId: string, accountId: string | null): Promise<OpenOutcome[]> {
  const rows = await run<{
    readonly id: string;
    readonly account_id: string;
    readonly instance_id: string;
    readonly body: OutcomeRecord;
  }>(pool, readOpenOutcomes, [ownerId, accountId]);
  return rows.map((row) => ({
    id: row.id,
    accountId: row.account_id,
    instanceId: row.instance_id,
    body: row.body,
  }));
}

export interface WaitingIntent {
  readonly id: string;
  readonly accountId: string;
  readonly payload: Uint8Array;
}

/** Intents that wait for their session, in order. */
export async function waitingIntents(
  pool: Pool,
  accountId: string | null,
  ageMs: number,
  itemsMax: number,
): Promise<WaitingIntent[]> {
  const rows = await run<{ readonly id: string; readonly account_id: string; readonly payload: Buffer }>(
    pool,
    readIntents,
    [accountId, ageMs, itemsMax],
  );
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, payload: row.payload }));
}

export async function forgetIntents(pool: Pool, ids: readonly string[]): Promise<void> {
  await run(pool, acknowledgeIntents, [ids]);
}

/** Notes why an instance cannot be run, unless it is another's by now. */
export async function failInstance(
  pool: Pool,
  ownerId: string,
  id: string,
  epoch: number,
  fault: string,
): Promise<void> {
  await run(pool, failInstanceById, [ownerId, id, epoch, fault]);
}
