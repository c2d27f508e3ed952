import type { Logger } from '../../platform/logger.ts';

/** Runs `then` once `written` is on disk. */
export type AfterCommit = (written: Promise<void>, then: () => void) => void;

/**
 * What rests on the journal goes through here. When the journal fails, or what was to follow does, the agent must end: it
 * can no longer keep its word, and its next start recovers. After `stopped` a refusal is no failure: a result that comes
 * too late for the journal is found again by `recover`.
 */
export function createAfterCommit(
  stopped: AbortSignal,
  logger: Logger,
  onFatal: (thrown: unknown) => void,
): AfterCommit {
  const run = async (written: Promise<void>, then: () => void): Promise<void> => {
    try {
      await written;
      then();
    } catch (thrown) {
      if (stopped.aborted) logger.warn({ err: thrown }, 'not journaled, the agent has stopped');
      else onFatal(thrown);
    }
  };
  return (written, then) => {
    void run(written, then);
  };
}
