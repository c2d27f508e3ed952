/** A session that this replica works on until its lease is over. */
export interface ClaimedWork {
  readonly sessionId: string;
  /** How often work had been asked for when it was claimed. */
  readonly kicks: number;
}

/** Who works on which session: one replica at a time. */
export interface WorkBook {
  kick(sessionIds: readonly string[]): Promise<void>;
  claim(leaseMs: number, max: number): Promise<readonly ClaimedWork[]>;
  /** False when the lease was lost. */
  renew(sessionId: string, leaseMs: number): Promise<boolean>;
  /** Gives it back, to be looked at again after `dueInMs` (Infinity: when somebody asks). True when it is due already. */
  release(work: ClaimedWork, dueInMs: number): Promise<boolean>;
}
