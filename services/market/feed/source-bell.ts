import type { Running } from '../../platform/lifecycle.ts';
import type { NatsLink } from '../../platform/nats/connection.ts';
import { marketSubject, marketSubjects, subjectId } from '../../platform/nats/subject.ts';

/** Tells every replica that a source of an account has changed. A lost ring costs a second: everybody looks regularly. */
export class SourceBell implements Running {
  readonly #nats: NatsLink;
  readonly #listeners = new Set<(accountId: string) => void>();
  readonly #unsubscribe: () => void;

  constructor(nats: NatsLink) {
    this.#nats = nats;
    this.#unsubscribe = nats.subscribe(marketSubjects(), (subject) => this.#ring(subjectId(subject)));
  }

  /** Calls back for rings of one account, or of all when `accountId` is undefined. */
  on(accountId: string | undefined, callback: () => void): () => void {
    const listener = (rung: string): void => {
      if (accountId === undefined || rung === accountId) callback();
    };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rings everywhere; here too, by way of NATS. */
  ring(accountId: string): void {
    this.#nats.publish(marketSubject(accountId));
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ring(accountId: string): void {
    for (const listener of this.#listeners) listener(accountId);
  }
}
