import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What a test tells a recording executor while it runs. Written by the test, read at every execution. */
export interface RecordingControl {
  /** Stay before, or after, the effect until this is taken back. Aborting ends a wait before the effect. */
  readonly hold?: 'before' | 'after';
  /** Kinds that `hold` and `fail` are for; all when absent. */
  readonly kinds?: readonly string[];
  /** Fail before the effect, with the promise that it may pass, or that it will not; or know nothing of what it is about. */
  readonly fail?: 'retryable' | 'final' | 'rejected' | 'target_unknown';
  /** While held: keep on although told to stop. */
  readonly deaf?: boolean;
  /** While held: report progress this often. */
  readonly progressMs?: number;
  /** What those of these kinds that succeed have dealt. */
  readonly fills?: readonly { readonly symbol: string; readonly quantity: string; readonly price: string }[];
  /** What its status lists: a session with revision 1 of a strategy, and what that holds, if anything. */
  readonly runs?: {
    readonly sessionId: string;
    readonly strategyId: string;
    readonly symbol: string;
    readonly quantity?: string;
  };
  /** Time that an execution takes before its effect. */
  readonly workMs?: number;
  /** What a restarted adapter says of a command that was started: what its records say, or that it cannot tell. */
  readonly recover?: 'unknown';
}

/** Replaces the control file as a whole, so that a reader never sees half of it. */
export function writeControl(file: string, control: RecordingControl): void {
  writeFileSync(`${file}.new`, JSON.stringify(control));
  renameSync(`${file}.new`, file);
}

/** What the file says now. @throws when there is none: the test that starts a recording executor writes the first. */
export function readControl(file: string): RecordingControl {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof value !== 'object' || value === null) throw new TypeError(`${file} holds no object`);
  return value;
}
