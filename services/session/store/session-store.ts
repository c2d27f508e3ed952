import type { Pool } from 'pg';
import { StatusError } from '../../platform/errors.ts';
import { Draft } from '../domain/draft.ts';
import type { SessionChange } from '../domain/follower.ts';
import type { IntentBody } from '../domain/intent-body.ts';
import type { ActivationRequest, OutcomeRecord, SessionRecord } from '../domain/records.ts';
import type { ChangeOptions, NewIntent, SessionBook } from '../domain/repository.ts';
import { lockAccount, readUnissuedHalt } from './halt-statements.ts';
import { addIntents, intentsDone, readIntents } from './intent-statements.ts';
import { addActivationRequest, findActivationRequest } from './read-statements.ts';
import { changeWithin, load, write } from './session-change.ts';
import { insertSession, outcomesTold, readOutcomes } from './session-statements.ts';
import { inTransaction, read, run } from './statement.ts';
import { kickWork } from './work-statements.ts';

/** Intents applied in one transaction. */
const INTENTS_PER_CHANGE = 200;
/** Sessions changed in one transaction, where each could be changed by itself. */
const SESSIONS_PER_CHANGE = 50;

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
      await write(client, [draft]);
      await run(client, kickWork, [[session.id]]);
      return true;
    });
    if (created) this.#listener.changed(session.id);
    return created;
  }

  async change<T>(sessionId: string, work: (draft: Draft) => T, options: ChangeOptions = {}): Promise<T | undefined> {
    let done: T | undefined;
    const noted = (draft: Draft): void => {
      done = work(draft);
    };
    await this.#change([{ sessionId, options, work: noted }]);
    return done;
  }

  async changeEach(
    sessionIds: readonly string[],
    work: (draft: Draft) => void,
    options: ChangeOptions = {},
  ): Promise<void> {
    for (let at = 0; at < sessionIds.length; at += SESSIONS_PER_CHANGE) {
      const part = sessionIds.slice(at, at + SESSIONS_PER_CHANGE);
      await this.#change(part.map((sessionId) => ({ sessionId, options, work })));
    }
  }

  async activate(
    accountId: string,
    request: Omit<ActivationRequest, 'instanceIds'>,
    plan: (draft: Draft) => readonly string[] | undefined,
  ): Promise<ActivationRequest | undefined> {
    const { requestId, fingerprint, sessionId } = request;
    const { done, written } = await inTransaction(this.#pool, async (client) => {
      const [draft] = await load(
        client,
        [{ sessionId, requestIds: [], openCommandIds: [], unpriced: false }],
        this.#nowMs(),
      );
      if (draft === undefined) return { done: undefined, written: false };
      const earlier = (): Promise<ActivationRequest[]> =>
        run<ActivationRequest>(client, findActivationRequest, [accountId, requestId]);
      const [known] = await earlier();
      if (known !== undefined) return { done: known, written: false };
      const instanceIds = plan(draft);
      if (instanceIds === undefined) return { done: undefined, written: false };
      const values = [accountId, requestId, fingerprint, sessionId, instanceIds];
      const added = await run(client, addActivationRequest, values);
      // The same key on another session was faster: nothing of this one has been written yet.
      if (added.length === 0) return { done: (await earlier())[0], written: false };
      const changed = (await write(client, [draft])).length > 0;
      if (changed) await run(client, kickWork, [[sessionId]]);
      return { done: { ...request, instanceIds }, written: changed };
    });
    if (written) this.#listener.changed(sessionId);
    return done;
  }

  async #change(changes: readonly SessionChange[]): Promise<void> {
    const written = await inTransaction(this.#pool, (client) => changeWithin(client, changes, this.#nowMs()));
    for (const sessionId of written) this.#listener.changed(sessionId);
  }

  async addIntents(accountId: string, intents: readonly NewIntent[]): Promise<readonly string[]> {
    const rows = await read<{ id: string }>(this.#pool, addIntents, [accountId, JSON.stringify(intents)]);
    for (const sessionId of new Set(intents.map((intent) => intent.sessionId))) this.#listener.changed(sessionId);
    return rows.map(({ id }) => id);
  }

  async applyIntents(sessionId: string, work: (draft: Draft, intent: IntentBody) => void): Promise<number> {
    const count = await inTransaction(this.#pool, async (client) => {
      const [draft] = await load(
        client,
        [{ sessionId, requestIds: [], openCommandIds: [], unpriced: false }],
        this.#nowMs(),
      );
      if (draft === undefined || draft.session.state === 'STARTING') return 0;
      const rows = await run<{ id: string; body: IntentBody }>(client, readIntents, [sessionId, INTENTS_PER_CHANGE]);
      for (const { body } of rows) work(draft, body);
      await write(client, [draft]);
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

function halting(executorName: string, haltId: string): StatusError {
  return new StatusError(
    'Unavailable',
    'UNAVAILABLE',
    `the kill switch is about to stop executor ${executorName} (halt ${haltId}); start the session when it has`,
    { metadata: { dependency: 'halt' }, retryAfterMs: 500 },
  );
}
