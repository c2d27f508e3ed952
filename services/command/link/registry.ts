import type { LocalStreams } from '../delivery/local-streams.ts';
import type { Command } from '../domain/command.ts';
import type { NewCommand, UnreadableCommand } from '../domain/repository.ts';
import type { ExecutorSession } from './session.ts';

/** The sessions of this replica, one an executor, by id and by account. */
export class SessionRegistry implements LocalStreams {
  readonly #sessions = new Map<string, ExecutorSession>();
  readonly #byAccount = new Map<string, Set<string>>();
  readonly #setAside: (unreadable: readonly UnreadableCommand[]) => void;

  constructor(setAside: (unreadable: readonly UnreadableCommand[]) => void) {
    this.#setAside = setAside;
  }

  get(executorId: string): ExecutorSession | undefined {
    return this.#sessions.get(executorId);
  }

  all(): ExecutorSession[] {
    return [...this.#sessions.values()];
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: ExecutorSession): void {
    const { executorId, accountId } = session.identity;
    this.#sessions.set(executorId, session);
    let executors = this.#byAccount.get(accountId);
    if (executors === undefined) {
      executors = new Set();
      this.#byAccount.set(accountId, executors);
    }
    executors.add(executorId);
  }

  /** Removes this very session; a newer one of the same executor stays. */
  remove(session: ExecutorSession): void {
    const { executorId, accountId } = session.identity;
    if (this.#sessions.get(executorId) !== session) return;
    this.#sessions.delete(executorId);
    this.#byAccount.get(accountId)?.delete(executorId);
  }

  executorIds(accountId: string): readonly string[] {
    return [...(this.#byAccount.get(accountId) ?? [])];
  }

  holds(executorId: string): boolean {
    return this.#sessions.has(executorId);
  }

  /** Open commands of an executor whose stream is held here; undefined until all of them have been read. */
  openHere(executorId: string): number | undefined {
    const session = this.#sessions.get(executorId);
    return session?.ready === true ? session.flow.size : undefined;
  }

  admit(command: Command, mayGo: boolean): NewCommand['sent'] {
    return this.#sessions.get(command.executorId)?.flow.admit(command, mayGo) ?? null;
  }

  confirm(command: Command): void {
    this.#sessions.get(command.executorId)?.flow.confirm(command);
  }

  release(command: Command): void {
    this.#sessions.get(command.executorId)?.flow.release(command);
  }

  merge(commands: readonly Command[]): void {
    const byExecutor = Map.groupBy(commands, (command) => command.executorId);
    for (const [executorId, own] of byExecutor) this.#sessions.get(executorId)?.flow.merge(own);
  }

  setAside(unreadable: readonly UnreadableCommand[]): void {
    if (unreadable.length > 0) this.#setAside(unreadable);
  }
}
