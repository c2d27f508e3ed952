import type { Clock } from '../../platform/clock.ts';
import { createWaker } from '../../platform/waker.ts';
import type { ChangeBell } from '../domain/change-bell.ts';

/** Without a ring, what is waited for is looked at this often. */
const LOOK_MS = 250;

/** Looks until `done`, at most `limitMs`; returns what it saw last. */
export async function waitFor<T>(
  { bell, clock }: { readonly bell: ChangeBell; readonly clock: Clock },
  sessionId: string,
  call: { readonly signal: AbortSignal; readonly limitMs: number },
  look: () => Promise<{ readonly seen: T; readonly done: boolean }>,
): Promise<T> {
  const waker = createWaker((ring) => bell.on(sessionId, ring), call.signal, clock);
  const endMs = clock.steadyMs() + call.limitMs;
  try {
    for (;;) {
      const { seen, done } = await look();
      const leftMs = endMs - clock.steadyMs();
      if (done || leftMs <= 0 || call.signal.aborted) return seen;
      await waker.wait(Math.min(LOOK_MS, leftMs));
    }
  } finally {
    waker.stop();
  }
}
