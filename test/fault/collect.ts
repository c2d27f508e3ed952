import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fromBinary } from '@bufbuild/protobuf';
import { Client } from 'pg';
import { FinishedSchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { readSteps, type StoredSteps } from '../../services/command/store/step-row.ts';
import type { RecordingAgent } from '../harness/recording-agent.ts';
import type { TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import type { FinalCommand, HistoryRecord } from './history-record.ts';
import { type RecordedWatch, stateName } from './recorded-watch.ts';

/**
 * Waits until a run has come to rest (every command terminal, every answer acknowledged, every watcher caught up) and reads
 * what Postgres and the agents hold. What does not come to rest in time is read as it is: the checker finds it.
 */
export async function collect(
  stack: TestStack,
  agents: readonly RecordingAgent[],
  watches: readonly RecordedWatch[],
  timeoutMs: number,
): Promise<HistoryRecord[]> {
  await using database = await connect(stack.databaseUrl);
  const { client } = database;
  await restOrTimeout(() => allEnded(client), timeoutMs);
  await restOrTimeout(() => agents.every((agent) => openAnswers(agent) === 0), 10_000);
  const stored = await readAtRest(client, timeoutMs);
  const written = Map.groupBy(stored, (row) => (row.type === 'history' ? row.account : ''));
  await restOrTimeout(() => watches.every((w) => w.events >= (written.get(w.account)?.length ?? 0)), 10_000);
  return [...stored, ...agents.flatMap((agent) => [...agent.records(), ...readAcknowledged(agent)])];
}

async function allEnded(client: Client): Promise<boolean> {
  return (await count(client, "command.command WHERE due_time < 'infinity'")) === 0;
}

/** Everything as of one moment at which all commands had ended: whoever shares the database may issue and settle meanwhile. */
async function readAtRest(client: Client, timeoutMs: number): Promise<HistoryRecord[]> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const rested = (await allEnded(client)) || performance.now() >= endMs;
    const read = rested
      ? [...(await readHistory(client)), ...(await readCommands(client)), ...(await readQuarantine(client))]
      : undefined;
    await client.query('COMMIT');
    if (read !== undefined) return read;
    await restOrTimeout(() => allEnded(client), Math.max(0, endMs - performance.now()));
  }
}

/** A rest that does not come is not this function's to judge: the history shows what is left. */
async function restOrTimeout(rested: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  await until(async () => (await rested()) || performance.now() >= endMs, 'rest or timeout', timeoutMs + 5_000);
}

async function connect(databaseUrl: string): Promise<AsyncDisposable & { readonly client: Client }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

async function count(client: Client, from: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${from}`);
  return Number(rows[0]?.count);
}

async function readHistory(client: Client): Promise<HistoryRecord[]> {
  const { rows } = await client.query<{
    account_id: string;
    number: string;
    command_id: string;
    executor_id: string;
    steps: StoredSteps;
  }>('SELECT account_id, number, command_id, executor_id, steps FROM command.history ORDER BY account_id, number');
  return rows.map((row) => ({
    type: 'history',
    account: row.account_id,
    number: Number(row.number),
    commandId: row.command_id,
    executor: row.executor_id,
    steps: readSteps(row.steps).map((step) => ({ ...step, from: step.from ?? '', epoch: step.epoch ?? 0 })),
  }));
}

async function readCommands(client: Client): Promise<FinalCommand[]> {
  const { rows } = await client.query<{
    id: string;
    account_id: string;
    executor_id: string;
    request_id: string | null;
    kind: string;
    ordering_key: string;
    sequence: string;
    state: string;
    finish_by: Date;
    not_after: Date | null;
  }>(
    `SELECT id, account_id, executor_id, request_id, kind, ordering_key, sequence, state, finish_by, not_after
     FROM command.command ORDER BY sequence`,
  );
  return rows.map((row) => ({
    type: 'command',
    commandId: row.id,
    account: row.account_id,
    executor: row.executor_id,
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    kind: row.kind,
    key: row.ordering_key,
    sequence: Number(row.sequence),
    state: row.state,
    finishByMs: row.finish_by.getTime(),
    ...(row.not_after === null ? {} : { notAfterMs: row.not_after.getTime() }),
  }));
}

async function readQuarantine(client: Client): Promise<HistoryRecord[]> {
  const { rows } = await client.query<{ command_id: string; defect: string }>(
    'SELECT command_id, defect FROM command.quarantine',
  );
  return rows.map((row) => ({ type: 'quarantined', commandId: row.command_id, defect: row.defect }));
}

/** One entry of an agent's journal, as far as tests look at it. */
export interface JournaledCommand {
  readonly commandId: string;
  readonly stage: string;
  readonly attempt: number;
  readonly acknowledged: boolean;
  readonly answer: Uint8Array | undefined;
}

/** What an agent's journal holds on disk, whether the agent runs or not; empty before there is a journal. */
export function readJournal(journalDirectory: string): JournaledCommand[] {
  const file = join(journalDirectory, 'journal.db');
  if (!existsSync(file)) return [];
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    return database
      .prepare('SELECT command_id, stage, attempt, acknowledged, answer FROM entry ORDER BY sequence')
      .all()
      .map((row) => ({
        commandId: String(row['command_id']),
        stage: String(row['stage']),
        attempt: Number(row['attempt']),
        acknowledged: Number(row['acknowledged']) === 1,
        answer: row['answer'] instanceof Uint8Array ? row['answer'] : undefined,
      }));
  } finally {
    database.close();
  }
}

function openAnswers(agent: RecordingAgent): number {
  return agent.started ? readJournal(agent.journal).filter((entry) => !entry.acknowledged).length : 0;
}

function readAcknowledged(agent: RecordingAgent): HistoryRecord[] {
  return readJournal(agent.journal).flatMap(({ commandId, attempt, acknowledged, answer }): HistoryRecord[] => {
    if (!acknowledged || answer === undefined) return [];
    const { state, error } = fromBinary(FinishedSchema, answer);
    const facts = { agent: agent.agent, executor: agent.executorId, commandId, attempt };
    return [{ type: 'acknowledged', ...facts, state: stateName(state), retryable: error?.retryable ?? false }];
  });
}
