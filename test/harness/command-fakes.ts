import { sampleExecutor } from './sample-executors.ts';
import { ManualClock } from '../../services/platform/clock.ts';
import { notFound } from '../../services/platform/errors.ts';
import type { CommandDesk } from '../../services/command/domain/command-desk.ts';
import type { CommandReader } from '../../services/command/domain/command-reader.ts';
import type { Executor } from '../../services/command/domain/executor.ts';
import type { ExecutorBook, ExecutorDirectory } from '../../services/command/domain/executor-book.ts';
import type { VenueBook } from '../../services/command/domain/venue-book.ts';
import type { CommandHandlerDependencies, ExecutorHandlerDependencies } from '../../services/command/handlers/index.ts';

function notExpected(): Promise<never> {
  return Promise.reject(new Error('this call was not expected'));
}

const reader: CommandReader = {
  accounts: notExpected,
  get: notExpected,
  getMany: notExpected,
  getByRequestId: notExpected,
  list: notExpected,
  historyRange: notExpected,
  historyAfter: notExpected,
  timelineOf: notExpected,
  blocking: notExpected,
  stats: notExpected,
  quarantined: notExpected,
};

const desk: CommandDesk = { issue: notExpected, cancel: notExpected, settle: notExpected };

const book: ExecutorBook = {
  create: notExpected,
  views: notExpected,
  list: notExpected,
  versions: notExpected,
  rotate: notExpected,
  disable: notExpected,
};

const venue: VenueBook = { store: notExpected, range: notExpected, after: notExpected };

/** A directory of these executors, without a cache. */
export function directoryOf(executors: readonly Executor[]): ExecutorDirectory {
  const find = (accountId: string, nameOrId: string): Executor | undefined =>
    executors.find((one) => one.accountId === accountId && (one.name === nameOrId || one.id === nameOrId));
  return {
    find: (accountId, nameOrId) => Promise.resolve(find(accountId, nameOrId)),
    resolve(accountId, nameOrId) {
      const found = find(accountId, nameOrId);
      return found === undefined ? Promise.reject(notFound('executor', nameOrId)) : Promise.resolve(found);
    },
    names: (accountId, ids) =>
      Promise.resolve(
        new Map(
          [...ids].flatMap((id) => {
            const found = find(accountId, id);
            return found === undefined ? [] : [[id, found.name] as const];
          }),
        ),
      ),
    invalidate: () => undefined,
  };
}

/** A bell that a test rings. */
export class HandBell {
  readonly #callbacks = new Set<() => void>();

  readonly onHistory = (_accountId: string, callback: () => void): (() => void) => this.#on(callback);
  readonly onVenueEvents = (_accountId: string, callback: () => void): (() => void) => this.#on(callback);
  readonly onExecutors = (_accountId: string, callback: () => void): (() => void) => this.#on(callback);

  get listeners(): number {
    return this.#callbacks.size;
  }

  ring(): void {
    for (const callback of this.#callbacks) callback();
  }

  #on(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
}

type Parts<T> = { readonly [P in keyof T]?: T[P] };

/** What handlers of CommandService need: whatever a test does not give must not be called. */
export function commandFakes(
  given: Omit<Parts<CommandHandlerDependencies>, 'reader' | 'desk' | 'book'> & {
    readonly reader?: Parts<CommandReader>;
    readonly desk?: Parts<CommandDesk>;
    readonly book?: Parts<ExecutorBook>;
  } = {},
): CommandHandlerDependencies {
  return {
    directory: directoryOf([sampleExecutor()]),
    bell: new HandBell(),
    clock: new ManualClock(),
    ...given,
    reader: { ...reader, ...given.reader },
    desk: { ...desk, ...given.desk },
    book: { ...book, ...given.book },
  };
}

/** The same for ExecutorService. */
export function executorFakes(
  given: Omit<Parts<ExecutorHandlerDependencies>, 'book' | 'venue'> & {
    readonly book?: Parts<ExecutorBook>;
    readonly venue?: Parts<VenueBook>;
  } = {},
): ExecutorHandlerDependencies {
  return {
    directory: directoryOf([sampleExecutor()]),
    bell: new HandBell(),
    clock: new ManualClock(),
    addresses: { linkUrls: ['http://127.0.0.1:7080'], gatewayUrl: 'http://127.0.0.1:7070' },
    executorChanged: () => undefined,
    venueBell: new HandBell(),
    ...given,
    venue: { ...venue, ...given.venue },
    book: { ...book, ...given.book },
  };
}
