/** Rings when there is something to look at. A lost ring costs a second, nothing else. */
export interface Bell {
  /** Calls back after a ring for the account, on any replica; the returned function ends that. Must not throw. */
  on(accountId: string, callback: () => void): () => void;
  ring(accountId: string): void;
}
