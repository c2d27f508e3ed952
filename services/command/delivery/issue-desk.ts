import { timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { messageOf, notFound, StatusError, unavailable } from '../../platform/errors.ts';
import { isUnavailable } from '../../platform/postgres/failure.ts';
import { type Command, isTerminal } from '../domain/command.ts';
import type { CommandDesk, IssueOutcome } from '../domain/command-desk.ts';
import type { Executor } from '../domain/executor.ts';
import type { ExecutorDirectory } from '../domain/executor-book.ts';
import { type IssueOrder, issue } from '../domain/issue.ts';
import { policyOf } from '../domain/kind.ts';
import { isSaidAlready, type OperatorWord, refusalToSettle } from '../domain/settlement.ts';
import { type Transitioned, transition } from '../domain/transition.ts';
import type { ReadCommands } from '../domain/repository.ts';
import * as store from '../store/command-store.ts';
import { type InsertOutcome, isStored } from './insert-queue.ts';
import type { Ledgers } from './ledgers.ts';
import type { QueueDepths } from './queue-depths.ts';

/** How often a change that somebody asks for is tried again on top of somebody else's. */
const CHANGE_TRIES_MAX = 5;

export interface IssueDeskDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly ledgers: Ledgers;
  readonly directory: ExecutorDirectory;
  readonly depths: QueueDepths;
}

/** Makes commands durable, cancels and settles them, through the account's ledger. */
export class IssueDesk implements CommandDesk {
  readonly #deps: IssueDeskDependencies;

  constructor(deps: IssueDeskDependencies) {
    this.#deps = deps;
  }

  async issue(orders: readonly IssueOrder[]): Promise<readonly IssueOutcome[]> {
    const refusals = await this.#refusalsOf(orders);
    const stored = (await this.#store(orders.filter((_, i) => refusals[i] === undefined))).values();
    const outcomes = orders.map((_, i): InsertOutcome => refusals[i] ?? stored.next().value ?? null);
    // A repeated call is answered with its command even if the same could not be issued any more.
    const repeated = orders.filter((_, i) => refusals[i] !== undefined || outcomes[i] === null);
    const earlier = new Map(
      await Promise.all(repeated.map(async (order) => [order, await this.#earlier(order)] as const)),
    );
    return orders.map((order, i) => earlier.get(order) ?? outcomeOf(outcomes[i] ?? null));
  }

  /** Why each order is refused before anything is stored; undefined for those that are not. */
  async #refusalsOf(orders: readonly IssueOrder[]): Promise<readonly (StatusError | undefined)[]> {
    const { depths, directory } = this.#deps;
    await depths.load([...new Set(orders.map((order) => order.executorId))]);
    const executors = new Map<string, Executor | undefined>();
    for (const { accountId, executorId } of orders) {
      if (!executors.has(executorId)) executors.set(executorId, await directory.resolve(accountId, executorId));
    }
    return orders.map((order) => {
      const executor = executors.get(order.executorId);
      if (executor === undefined) return notFound('executor', order.executorId);
      return refusalOf(order, executor) ?? depths.refusal(executor, order.lane ?? policyOf(order.kind).lane);
    });
  }

  /** All in one turn, so that commands for one executor are stored in the order in which they are listed. */
  async #store(orders: readonly IssueOrder[]): Promise<readonly InsertOutcome[]> {
    const [first] = orders;
    if (first === undefined) return [];
    const nowMs = this.#deps.clock.nowMs();
    const rows = orders.map((order) => {
      const { command, step } = issue(order, nowMs);
      return { command, step, sent: null };
    });
    const outcomes = await this.#deps.ledgers.of(first.accountId).insert(rows);
    for (const outcome of outcomes) if (isStored(outcome)) this.#deps.depths.added(outcome.executorId);
    return outcomes;
  }

  /** What became of the order whose request_id this one repeats; undefined when it repeats none. */
  async #earlier(order: IssueOrder): Promise<IssueOutcome | undefined> {
    if (order.requestId === null) return undefined;
    let read: ReadCommands;
    try {
      read = await guarded(() => store.readByRequestIds(this.#deps.pool, order.accountId, [order.requestId ?? '']));
    } catch (thrown) {
      if (thrown instanceof StatusError) return { type: 'refused', error: thrown };
      throw thrown;
    }
    const [command] = read.commands;
    if (command === undefined) {
      if (read.unreadable.length === 0) return undefined;
      return { type: 'refused', error: reused(order, read.unreadable[0]?.id ?? '') };
    }
    const same =
      command.fingerprint !== null &&
      order.fingerprint !== null &&
      command.fingerprint.length === order.fingerprint.length &&
      timingSafeEqual(command.fingerprint, order.fingerprint);
    return same ? { type: 'issued', command, already: true } : { type: 'refused', error: reused(order, command.id) };
  }

  async cancel(accountId: string, id: string): Promise<{ command: Command; cancelled: boolean }> {
    const { command } = await this.#change(accountId, id, (stored) => {
      if (stored.state === 'CANCELLED') return null;
      if (isTerminal(stored.state)) {
        throw new StatusError(
          'FailedPrecondition',
          'STATE_ILLEGAL',
          `command ${id} has ended ${stored.state}; there is nothing left to cancel`,
          { metadata: { state: stored.state } },
        );
      }
      return transition(stored, { type: 'cancel_requested' }, this.#deps.clock.nowMs());
    });
    return { command, cancelled: command.state === 'CANCELLED' };
  }

  async settle(accountId: string, id: string, word: OperatorWord): Promise<{ command: Command; already: boolean }> {
    const { command, changed } = await this.#change(accountId, id, (stored) => {
      if (isSaidAlready(stored, word)) return null;
      const refusal = refusalToSettle(stored, word);
      if (refusal !== undefined) throw refusal;
      return transition(stored, { type: 'operator_settled', ...word }, this.#deps.clock.nowMs());
    });
    return { command, already: !changed };
  }

  /** Writes what `decide` makes of the stored command, anew on top of somebody else's change; null leaves it as it is. */
  async #change(
    accountId: string,
    id: string,
    decide: (stored: Command) => Transitioned | null,
  ): Promise<{ command: Command; changed: boolean }> {
    for (let tries = 0; tries < CHANGE_TRIES_MAX; tries++) {
      const { commands } = await guarded(() => store.readByIds(this.#deps.pool, accountId, [id]));
      const command = commands[0];
      if (command === undefined) throw notFound('command', id);
      const moved = decide(command);
      if (moved === null) return { command, changed: false };
      const row = { command: moved.command, before: command, steps: [moved.step], fenceEpoch: 0 };
      const written = await this.#deps.ledgers.of(accountId).change(row);
      if (written) {
        this.#deps.ledgers.changed([moved.command]);
        return { command: moved.command, changed: true };
      }
    }
    throw new StatusError('Aborted', 'STATE_ILLEGAL', `command ${id} keeps changing; try again`, { metadata: { id } });
  }
}

/** @throws what is nobody's refusal. */
function outcomeOf(outcome: InsertOutcome): IssueOutcome {
  if (isStored(outcome)) return { type: 'issued', command: outcome, already: false };
  if (outcome instanceof StatusError) return { type: 'refused', error: outcome };
  if (outcome !== null) throw outcome;
  const error = unavailable('postgres', 'the command of this request_id was just removed; try again');
  return { type: 'refused', error };
}

function refusalOf(order: IssueOrder, executor: Executor): StatusError | undefined {
  if (executor.disableMs !== null) {
    return new StatusError(
      'FailedPrecondition',
      'EXECUTOR_DISABLED',
      `executor "${executor.name}" is disabled; create another one or issue to another`,
      { metadata: { executor: executor.name } },
    );
  }
  if (executor.kinds !== null && !executor.kinds.includes(order.kind)) {
    return new StatusError(
      'FailedPrecondition',
      'KIND_UNSUPPORTED',
      `the agent of "${executor.name}" does not execute ${order.kind}; it executes: ${executor.kinds.join(', ') || 'nothing'}`,
      { metadata: { kind: order.kind, executor: executor.name } },
    );
  }
  return undefined;
}

function reused(order: IssueOrder, commandId: string): StatusError {
  return new StatusError(
    'AlreadyExists',
    'REQUEST_ID_REUSED',
    `request_id "${order.requestId}" belongs to command ${commandId} with another body; use a fresh one for a new command`,
    { metadata: { request_id: order.requestId ?? '', command_id: commandId } },
  );
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isUnavailable(thrown))
      throw unavailable('postgres', `the database cannot be reached (${messageOf(thrown)}); try again`, thrown);
    throw thrown;
  }
}
