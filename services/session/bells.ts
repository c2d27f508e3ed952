import type { Running } from '../platform/lifecycle.ts';
import type { NatsLink } from '../platform/nats/connection.ts';
import { sessionChangedSubject, sessionChangedSubjects, subjectId } from '../platform/nats/subject.ts';
import type { ChangeBell } from './domain/change-bell.ts';

/** Rings of one session within this are one ring. */
const COALESCE_MS = 5;

/** Tells watchers and workers on every replica that a session has changed, or wants work. A hint: each looks by itself too. */
export class Bells implements ChangeBell, Running {
  readonly #nats: NatsLink;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #anyListeners = new Set<() => void>();
  readonly #published = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(nats: NatsLink) {
    this.#nats = nats;
    this.#unsubscribe = nats.subscribe(sessionChangedSubjects(), (subject) => this.#ring(subjectId(subject)));
  }

  on(sessionId: string, callback: () => void): () => void {
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners);
    listeners.add(callback);
    return () => {
      listeners.delete(callback);
      if (listeners.size === 0 && this.#listeners.get(sessionId) === listeners) this.#listeners.delete(sessionId);
    };
  }

  onAny(callback: () => void): () => void {
    this.#anyListeners.add(callback);
    return () => this.#anyListeners.delete(callback);
  }

  changed(sessionId: string): void {
    this.#ring(sessionId);
    if (this.#published.has(sessionId)) return;
    this.#published.add(sessionId);
    setTimeout(() => {
      this.#published.delete(sessionId);
      this.#nats.publish(sessionChangedSubject(sessionId));
    }, COALESCE_MS);
  }

  stop(): Promise<void> {
    this.#unsubscribe();
    this.#anyListeners.clear();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ring(sessionId: string): void {
    for (const callback of this.#listeners.get(sessionId) ?? []) callback();
    for (const callback of this.#anyListeners) callback();
  }
}
