import type { AgentClock } from '../agent-clock.ts';

/** What `ask` resolves to; rejects when that takes longer than `limitMs`, with the signal given to `ask` aborted. */
export async function withinTime<T>(
  clock: AgentClock,
  limitMs: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  let cancel: (() => void) | undefined;
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(limitMs, () => {
      const error = new Error(`no answer within ${limitMs} ms`);
      late.abort(error);
      reject(error);
    });
  });
  try {
    return await Promise.race([ask(late.signal), timeout]);
  } finally {
    cancel?.();
  }
}
