import type { Pool, PoolClient } from 'pg';
import { StatusError } from '../../platform/errors.ts';
import { Draft, type Written } from '../domain/draft.ts';
import type { IntentBody } from '../domain/intent-body.ts';
import type {
  ActivationRecord,
  CommandRecord,
  OutcomeRecord,
  PositionRecord,
  SessionRecord,
  SignalRecord,
} from '../domain/records.ts';
import type { ChangeOptions, NewIntent, SessionBook } from '../domain/repository.ts';
import { lockAccount, readUnissuedHalt } from './halt-statements.ts';
import { addIntents, intentsDone, readIntents } from './intent-statements.ts';
import {
  insertSession,
  lockSession,
  outcomesTold,
  readActivations,
  readOpenCommands,
  readOpenPositions,
  readOpenSignals,
  readOutcomes,
  writeActivations,
  writeChanges,
  writeCommands,
  writeOutcomes,
  writePositions,
  writeSessions,
  writeSignals,
} from './session-statements.ts';
import { type Connection, inTransaction, read, run } from './statement.ts';
import { kickWork } from './work-statements.ts';

/** Intents applied in one transaction. */
const INTENTS_PER_CHANGE = 200;

/** Called after a commit that watchers of the session, or its worker, should hear of. */
export interface ChangeListener {
  changed(sessionId: string): void;
}

/** The stored sessions, changed under the lock of their rows. */
export class SessionStore implements SessionBook {
  readonly #pool: Pool;
  readonly #nowMs: () => number;
  readonly #listener: ChangeListener;

  constructor(pool: Pool, nowMs: () => number, listener: ChangeListener) {
    this.#pool = pool;
    this.#nowMs = nowMs;
    this.#listener = listener;
  }

  async create(session: SessionRecord, plan: (draft: Draft) => void): Promise<boolean> {
    const created = await inTransaction(this.#pool, async (client) => {
      await run(client, lockAccount, [session.accountId]);
      const [halt] = await run<{ id: string }>(client, readUnissuedHalt, [session.accountId, session.executorId]);
      if (halt !== undefined) throw halting(session.executorName, halt.id);
      const inserted = await run<{ id: string }>(client, insertSession, [JSON.stringify([session])]);
      if (inserted.length === 0) return false;
      const empty = { activations: [], signals: [], positions: [], commands: [] };
      const draft = new Draft({ session, ...empty }, this.#nowMs());
      plan(draft);
      await write(client, draft);
      await run(client, kickWork, [[session.id]]);
      return true;
    });
    if (created) this.#listener.changed(session.id);
    return created;
  }

  async change<T>(sessionId: string, work: (draft: Draft) => T, options: ChangeOptions = {}): Promise<T | undefined> {
    const { done, written } = await inTransaction(this.#pool, (client) =>
      changeWithin(client, sessionId, this.#nowMs(), work, options),
    );
    if (written) this.#listener.changed(sessionId);
    return done;
  }

  async addIntents(accountId: string, intents: readonly NewIntent[]): Promise<readonly string[]> {
    const rows = await read<{ id: string }>(this.#pool, addIntents, [accountId, JSON.stringify(intents)]);
    for (const sessionId of new Set(intents.map((intent) => intent.sessionId))) this.#listener.changed(sessionId);
    return rows.map(({ id }) => id);
  }

  async applyIntents(sessionId: string, work: (draft: Draft, intent: IntentBody) => void): Promise<number> {
    const count = await inTransaction(this.#pool, async (client) => {
      const draft = await load(client, sessionId, this.#nowMs(), {});
      if (draft === undefined || draft.session.state === 'STARTING') return 0;
      const rows = await run<{ id: string; body: IntentBody }>(client, readIntents, [sessionId, INTENTS_PER_CHANGE]);
      for (const { body } of rows) work(draft, body);
      await write(client, draft);
      if (rows.length > 0) await run(client, intentsDone, [draft.session.accountId, rows.map(({ id }) => id)]);
      return rows.length;
    });
    if (count > 0) this.#listener.changed(sessionId);
    return count;
  }

  async outcomes(sessionId: string, max: number): Promise<readonly OutcomeRecord[]> {
    const rows = await read<{ body: OutcomeRecord }>(this.#pool, readOutcomes, [sessionId, max]);
    return rows.map(({ body }) => body);
  }

  async outcomesTold(ids: readonly string[]): Promise<void> {
    await read(this.#pool, outcomesTold, [ids]);
  }
}

/** Changes one session in somebody's transaction. */
export async function changeWithin<T>(
  client: PoolClient,
  sessionId: string,
  nowMs: number,
  work: (draft: Draft) => T,
  options: ChangeOptions,
): Promise<{ readonly done: T | undefined; readonly written: boolean }> {
  const draft = await load(client, sessionId, nowMs, options);
  if (draft === undefined) return { done: undefined, written: false };
  const done = work(draft);
  const written = await write(client, draft);
  if (written) await run(client, kickWork, [[sessionId]]);
  return { done, written };
}

async function load(
  client: Connection,
  sessionId: string,
  nowMs: number,
  { requestIds = [], openCommandIds = [] }: ChangeOptions,
): Promise<Draft | undefined> {
  const [session] = await run<SessionRecord>(client, lockSession, [sessionId]);
  if (session === undefined) return undefined;
  const activations = await run<ActivationRecord>(client, readActivations, [sessionId]);
  const signals = await run<SignalRecord>(client, readOpenSignals, [sessionId]);
  const commands = await run<CommandRecord>(client, readOpenCommands, [sessionId, session.accountId, requestIds]);
  const subjects = commands.map((command) => command.subjectId);
  const positions = await run<PositionRecord>(client, readOpenPositions, [sessionId, subjects, openCommandIds]);
  return new Draft({ session, activations, signals, positions, commands }, nowMs);
}

/** Returns whether there was anything to write. */
async function write(client: Connection, draft: Draft): Promise<boolean> {
  const written = draft.result();
  if (written === undefined) return false;
  const { session, changes } = written;
  // The session first: everything else refers to it.
  await put(client, writeSessions, session);
  for (const [statement, rows] of rowsOf(written)) await put(client, statement, rows);
  if (changes.length > 0) await run(client, writeChanges, [draft.session.id, JSON.stringify(changes)]);
  return true;
}

function rowsOf({ activations, signals, positions, commands, outcomes }: Written) {
  return [
    [writeActivations, activations],
    [writeSignals, signals],
    [writePositions, positions],
    [writeCommands, commands],
    [writeOutcomes, outcomes],
  ] as const;
}

async function put(
  client: Connection,
  statement: { name: string; text: string },
  rows: readonly object[],
): Promise<void> {
  if (rows.length > 0) await run(client, statement, [JSON.stringify(rows)]);
}

function halting(executorName: string, haltId: string): StatusError {
  return new StatusError(
    'Unavailable',
    'UNAVAILABLE',
    `the kill switch is about to stop executor ${executorName} (halt ${haltId}); start the session when it has`,
    { metadata: { dependency: 'halt' }, retryAfterMs: 500 },
  );
}
