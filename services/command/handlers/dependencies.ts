import type { Clock } from '../../platform/clock.ts';
import type { CommandDesk } from '../domain/command-desk.ts';
import type { CommandReader } from '../domain/command-reader.ts';
import type { ExecutorBook, ExecutorDirectory } from '../domain/executor-book.ts';
import type { ExecutorBell, HistoryBell } from '../domain/history-bell.ts';
import type { VenueBell, VenueBook } from '../domain/venue-book.ts';
import type { Addresses } from '../wire/executor-to-proto.ts';

/** What the handlers of CommandService need; `service.ts` provides it. */
export interface CommandHandlerDependencies {
  readonly desk: CommandDesk;
  readonly reader: CommandReader;
  readonly book: ExecutorBook;
  readonly directory: ExecutorDirectory;
  readonly bell: HistoryBell;
  readonly clock: Clock;
}

/** What the handlers of ExecutorService need. */
export interface ExecutorHandlerDependencies {
  readonly book: ExecutorBook;
  readonly directory: ExecutorDirectory;
  readonly bell: ExecutorBell;
  readonly venue: Pick<VenueBook, 'range' | 'after'>;
  readonly venueBell: VenueBell;
  readonly clock: Clock;
  readonly addresses: Addresses;
  /** Called after an executor was created, disabled or given another credential: closes the streams that this ended. */
  readonly executorChanged: (accountId: string, executorId: string) => void;
}
