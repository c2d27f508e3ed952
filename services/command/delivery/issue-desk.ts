import { timingSafeEqual } from 'node:crypto';
import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { messageOf, notFound, StatusError, unavailable } from '../../platform/errors.ts';
import { isConnectionFailure } from '../../platform/postgres/failure.ts';
import { type Command, isTerminal } from '../domain/command.ts';
import type { CommandDesk, IssueOutcome } from '../domain/command-desk.ts';
import type { Executor } from '../domain/executor.ts';
import type { ExecutorDirectory } from '../domain/executor-book.ts';
import { type IssueOrder, issue } from '../domain/issue.ts';
import { transition } from '../domain/transition.ts';
import * as store from '../store/command-store.ts';
import type { Ledgers } from './ledgers.ts';
import type { QueueDepths } from './queue-depths.ts';

/** How often a cancellation tries again on top of somebody else's change. */
const CANCEL_TRIES_MAX = 5;

export interface IssueDeskDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly ledgers: Ledgers;
  readonly directory: ExecutorDirectory;
  readonly depths: QueueDepths;
}

/** Makes commands durable and cancels them, through the account's ledger. */
export class IssueDesk implements CommandDesk {
  readonly #deps: IssueDeskDependencies;

  constructor(deps: IssueDeskDependencies) {
    this.#deps = deps;
  }

  async issue(orders: readonly IssueOrder[]): Promise<readonly IssueOutcome[]> {
    const executorIds = [...new Set(orders.map((order) => order.executorId))];
    await this.#deps.depths.load(executorIds);
    // Started in order and in one turn, so that commands for one executor are stored in the order in which they are listed.
    const executors = new Map<string, Executor>();
    for (const order of orders) {
      if (!executors.has(order.executorId)) {
        executors.set(order.executorId, await this.#deps.directory.resolve(order.accountId, order.executorId));
      }
    }
    return Promise.all(orders.map((order) => this.#issueOne(order, executors.get(order.executorId))));
  }

  async #issueOne(order: IssueOrder, executor: Executor | undefined): Promise<IssueOutcome> {
    try {
      if (executor === undefined) throw notFound('executor', order.executorId);
      const refusal = refusalOf(order, executor) ?? this.#deps.depths.refusal(executor);
      // A repeated call is answered with its command even if the same could not be issued any more.
      if (refusal !== undefined) return (await this.#existing(order)) ?? { type: 'refused', error: refusal };
      const { command, step } = issue(order, this.#deps.clock.nowMs());
      const stored = await this.#deps.ledgers.of(order.accountId).insert({ command, steps: [step], sent: null });
      if (stored === null) return await this.#repeated(order);
      this.#deps.depths.added(order.executorId);
      return { type: 'issued', command: stored, already: false };
    } catch (thrown) {
      if (thrown instanceof StatusError) return { type: 'refused', error: thrown };
      throw thrown;
    }
  }

  async #repeated(order: IssueOrder): Promise<IssueOutcome> {
    const existing = await this.#existing(order);
    if (existing === undefined)
      throw unavailable('postgres', 'the command of this request_id was just removed; try again');
    return existing;
  }

  async #existing(order: IssueOrder): Promise<IssueOutcome | undefined> {
    if (order.requestId === null) return undefined;
    const read = await guarded(() => store.readByRequestIds(this.#deps.pool, order.accountId, [order.requestId ?? '']));
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
    for (let tries = 0; tries < CANCEL_TRIES_MAX; tries++) {
      const { commands } = await guarded(() => store.readByIds(this.#deps.pool, accountId, [id]));
      const command = commands[0];
      if (command === undefined) throw notFound('command', id);
      if (command.state === 'CANCELLED') return { command, cancelled: true };
      if (isTerminal(command.state)) {
        throw new StatusError(
          'FailedPrecondition',
          'STATE_ILLEGAL',
          `command ${id} has ended ${command.state}; there is nothing left to cancel`,
          { metadata: { state: command.state } },
        );
      }
      const moved = transition(command, { type: 'cancel_requested' }, this.#deps.clock.nowMs());
      if (moved === null) return { command, cancelled: false };
      const row = { command: moved.command, fromVersion: command.version, steps: [moved.step], fenceEpoch: 0 };
      const written = await this.#deps.ledgers.of(accountId).change(id, () => row);
      if (written) {
        this.#deps.ledgers.changed([moved.command]);
        return { command: moved.command, cancelled: moved.command.state === 'CANCELLED' };
      }
    }
    throw new StatusError('Aborted', 'STATE_ILLEGAL', `command ${id} keeps changing; try again`, { metadata: { id } });
  }
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
    if (isConnectionFailure(thrown))
      throw unavailable('postgres', `the database cannot be reached (${messageOf(thrown)}); try again`, thrown);
    throw thrown;
  }
}
