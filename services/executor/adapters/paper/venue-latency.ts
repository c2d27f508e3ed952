import type { ExecutionContext } from '../adapter.ts';

/** Progress is reported at least this often while the venue takes its time. */
const PROGRESS_INTERVAL_MS = 1_000;

/**
 * Waits as a slow venue would, reporting progress. Rejects with the signal's reason as soon as it is aborted: nothing has
 * taken effect by then.
 */
export function venueLatency(latencyMs: number, context: ExecutionContext): Promise<void> {
  const { signal } = context;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const everyMs = Math.min(PROGRESS_INTERVAL_MS, (context.progressWithinMs ?? Number.POSITIVE_INFINITY) / 3);
    const progress = setInterval(() => context.progress('waiting for the venue'), everyMs);
    const end = (): void => {
      clearInterval(progress);
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, latencyMs);
    const aborted = (): void => {
      end();
      reject(signal.reason);
    };
    signal.addEventListener('abort', aborted, { once: true });
  });
}
