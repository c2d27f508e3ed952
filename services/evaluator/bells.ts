import type { Running } from '../platform/lifecycle.ts';
import type { NatsLink } from '../platform/nats/connection.ts';
import {
  evaluationSubject,
  evaluationSubjects,
  instanceSubject,
  instanceSubjects,
  outcomeSubject,
  outcomeSubjects,
  subjectId,
} from '../platform/nats/subject.ts';
import type { Bell } from './domain/bell.ts';

/** Rings of one account within this are one ring. */
const COALESCE_MS = 5;

/** One doorbell over all replicas, by account. */
class SharedBell implements Bell {
  readonly #nats: NatsLink;
  readonly #subject: (accountId: string) => string;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #everybody = new Set<(accountId: string) => void>();
  readonly #heard = new Set<string>();
  readonly #published = new Set<string>();
  readonly unsubscribe: () => void;

  constructor(nats: NatsLink, subject: (accountId: string) => string, subjects: string) {
    this.#nats = nats;
    this.#subject = subject;
    this.unsubscribe = nats.subscribe(subjects, (heard) => this.#hear(subjectId(heard)));
  }

  on(accountId: string, callback: () => void): () => void {
    const listeners = this.#listeners.get(accountId) ?? new Set();
    this.#listeners.set(accountId, listeners);
    listeners.add(callback);
    return () => {
      listeners.delete(callback);
      if (listeners.size === 0 && this.#listeners.get(accountId) === listeners) this.#listeners.delete(accountId);
    };
  }

  onAny(callback: (accountId: string) => void): void {
    this.#everybody.add(callback);
  }

  ring(accountId: string): void {
    this.#hear(accountId);
    if (this.#published.has(accountId)) return;
    this.#published.add(accountId);
    setTimeout(() => {
      this.#published.delete(accountId);
      this.#nats.publish(this.#subject(accountId));
    }, COALESCE_MS);
  }

  #hear(accountId: string): void {
    if (this.#heard.has(accountId)) return;
    this.#heard.add(accountId);
    setTimeout(() => {
      this.#heard.delete(accountId);
      for (const callback of this.#everybody) callback(accountId);
      for (const callback of this.#listeners.get(accountId) ?? []) callback();
    }, COALESCE_MS);
  }
}

/** Tells replicas of wanted instances, of outcomes, and of what owners wrote. */
export class Bells implements Running {
  readonly instances: SharedBell;
  readonly outcomes: SharedBell;
  readonly evaluations: SharedBell;

  constructor(nats: NatsLink) {
    this.instances = new SharedBell(nats, instanceSubject, instanceSubjects());
    this.outcomes = new SharedBell(nats, outcomeSubject, outcomeSubjects());
    this.evaluations = new SharedBell(nats, evaluationSubject, evaluationSubjects());
  }

  stop(): Promise<void> {
    for (const bell of [this.instances, this.outcomes, this.evaluations]) bell.unsubscribe();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
