import type { Running } from '../platform/lifecycle.ts';
import type { NatsLink } from '../platform/nats/connection.ts';
import {
  executorChangedSubject,
  executorChangedSubjects,
  historySubject,
  historySubjects,
  subjectId,
  venueSubject,
  venueSubjects,
} from '../platform/nats/subject.ts';
import type { ExecutorBell, HistoryBell } from './domain/history-bell.ts';
import type { VenueBell } from './domain/venue-book.ts';

/** Rings of one account within this are one ring: watchers read in pages, not event by event. */
const COALESCE_MS = 5;

/** Listeners by account, rung at most once in a few milliseconds. */
class Bell {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #rung = new Set<string>();

  on(accountId: string, callback: () => void): () => void {
    const listeners = this.#listeners.get(accountId) ?? new Set();
    this.#listeners.set(accountId, listeners);
    listeners.add(callback);
    return () => {
      listeners.delete(callback);
      if (listeners.size === 0 && this.#listeners.get(accountId) === listeners) this.#listeners.delete(accountId);
    };
  }

  ring(accountId: string): void {
    if (this.#rung.has(accountId) || !this.#listeners.has(accountId)) return;
    this.#rung.add(accountId);
    setTimeout(() => {
      this.#rung.delete(accountId);
      for (const callback of this.#listeners.get(accountId) ?? []) callback();
    }, COALESCE_MS);
  }
}

/** Tells watchers on every replica that an account's history, executors or venue events have changed. */
export class Bells implements HistoryBell, ExecutorBell, VenueBell, Running {
  readonly #nats: NatsLink;
  readonly #history = new Bell();
  readonly #executors = new Bell();
  readonly #venue = new Bell();
  readonly #published = new Set<string>();
  readonly #unsubscribe: (() => void)[];

  constructor(nats: NatsLink) {
    this.#nats = nats;
    this.#unsubscribe = [
      nats.subscribe(historySubjects(), (subject) => this.#history.ring(subjectId(subject))),
      nats.subscribe(executorChangedSubjects(), (subject) => this.#executors.ring(subjectId(subject))),
      nats.subscribe(venueSubjects(), (subject) => this.#venue.ring(subjectId(subject))),
    ];
  }

  onHistory(accountId: string, callback: () => void): () => void {
    return this.#history.on(accountId, callback);
  }

  onExecutors(accountId: string, callback: () => void): () => void {
    return this.#executors.on(accountId, callback);
  }

  onVenueEvents(accountId: string, callback: () => void): () => void {
    return this.#venue.on(accountId, callback);
  }

  venueEventsGrew(accountId: string): void {
    this.#venue.ring(accountId);
    this.#publish(venueSubject(accountId));
  }

  historyGrew(accountId: string): void {
    this.#history.ring(accountId);
    this.#publish(historySubject(accountId));
  }

  executorsChanged(accountId: string): void {
    this.#executors.ring(accountId);
    this.#publish(executorChangedSubject(accountId));
  }

  stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #publish(subject: string): void {
    if (this.#published.has(subject)) return;
    this.#published.add(subject);
    setTimeout(() => {
      this.#published.delete(subject);
      this.#nats.publish(subject);
    }, COALESCE_MS);
  }
}
