/** Rings after history was written, here or on another replica. A lost ring costs a second, never an event. */
export interface HistoryBell {
  /** Calls back after the account's history grew; the returned function ends that. Must not throw. */
  onHistory(accountId: string, callback: () => void): () => void;
}

/** Rings after an executor was created, changed, connected or lost. */
export interface ExecutorBell {
  /** Calls back after an executor of the account changed; the returned function ends that. Must not throw. */
  onExecutors(accountId: string, callback: () => void): () => void;
}
