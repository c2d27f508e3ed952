import type { Clock } from '../../platform/clock.ts';
import type { ChangeBell } from '../domain/change-bell.ts';
import type { HaltBook, HaltView } from '../domain/halt.ts';
import type { SessionBook, SessionReader } from '../domain/repository.ts';
import type { Upstream } from '../upstream.ts';

/** What the handlers need; `service.ts` provides it. */
export interface SessionHandlerDependencies {
  readonly book: SessionBook;
  readonly reader: SessionReader;
  readonly halts: HaltBook;
  readonly bell: ChangeBell;
  readonly clock: Clock;
  readonly upstream: Upstream;
  /** Makes sure that news of the account's commands reach this service before any is issued. */
  readonly followAccount: (accountId: string) => Promise<void>;
  /** Does what a kill switch wants done now. */
  readonly advanceHalt: (view: HaltView) => Promise<void>;
}
