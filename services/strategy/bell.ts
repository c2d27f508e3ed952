import type { Running } from '../platform/lifecycle.ts';
import type { NatsLink } from '../platform/nats/connection.ts';
import { strategyChangedSubjects, subjectId } from '../platform/nats/subject.ts';
import type { ChangeBell } from './domain/strategy-book.ts';

/** Rung by what is published for an account, on any replica, and by this replica's own commits while NATS is away. */
export class Bell implements ChangeBell, Running {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #unsubscribe: () => void;

  constructor(nats: NatsLink) {
    this.#unsubscribe = nats.subscribe(strategyChangedSubjects(), (subject) => this.ring(subjectId(subject)));
  }

  onChange(accountId: string, callback: () => void): () => void {
    const listeners = this.#listeners.get(accountId) ?? new Set();
    this.#listeners.set(accountId, listeners);
    listeners.add(callback);
    return () => {
      listeners.delete(callback);
      if (listeners.size === 0 && this.#listeners.get(accountId) === listeners) this.#listeners.delete(accountId);
    };
  }

  ring(accountId: string): void {
    for (const callback of this.#listeners.get(accountId) ?? []) callback();
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
