import { backoffMs } from '../../platform/backoff.ts';
import type { Logger } from '../../platform/logger.ts';
import { retryable } from '../../platform/postgres/failure.ts';

const RETRY = { firstMs: 50, maxMs: 1_000 } as const;

/** Does work, and repeats it while Postgres refuses it for a passing reason; `what` names it in the log. */
export type Persist = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Gives up once `isStopped`. */
export function persisting(isStopped: () => boolean, logger: Logger, accountId: string): Persist {
  return async (what, work) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        if (!retryable(thrown) || isStopped()) throw thrown;
        if (attempt === 1) logger.warn({ err: thrown, what, accountId }, 'ledger waits for postgres');
        await new Promise<void>((resolve) => setTimeout(resolve, backoffMs(attempt, RETRY)));
      }
    }
  };
}
