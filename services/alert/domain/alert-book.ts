import type { Alert, Channel, Notice, Verdict } from './alert.ts';

/** What the service asks of the stored alerts; `store/` answers with Postgres. */
export interface AlertBook {
  /** True while this replica is the one that looks and sends, for `leaseMs` from now. */
  holdsWatch(leaseMs: number): Promise<boolean>;
  /** Every alert that fires, and those of `keys` that have recovered. */
  known(
    keys: readonly { readonly accountId: string; readonly rule: string; readonly subject: string }[],
  ): Promise<readonly Alert[]>;
  /** Stores what a look found and the notices about it over each channel, all or nothing. False: another replica looks now. */
  record(verdicts: readonly Verdict[], channels: readonly Channel[], nowMs: number): Promise<boolean>;
  /** Alerts of the account and of the platform: firing first, then the newest. */
  list(accountId: string, query: { readonly firingOnly: boolean; readonly max: number }): Promise<readonly Alert[]>;
  /** When rules were last looked at; null before the first time. */
  lookMs(): Promise<number | null>;
  /** Notices that are to be sent now, oldest first. */
  due(nowMs: number, max: number): Promise<readonly Notice[]>;
  /** It has arrived, or is given up. */
  settled(noticeId: string): Promise<void>;
  /** It did not arrive: try again at `dueMs`. */
  postponed(noticeId: string, dueMs: number): Promise<void>;
  /** Removes what recovered before then. */
  forget(recoveredBeforeMs: number): Promise<void>;
}
