import type { Clock } from './clock.ts';

/** Waits for rings between looks: what rang since the last wait ends the next one at once. */
export interface Waker {
  /** Resolves at a ring, after `limitMs`, or when the call is over. */
  wait(limitMs: number): Promise<void>;
  stop(): void;
}

/** Subscribes to a bell for the length of a call; `stop` ends it and must be called. */
export function createWaker(subscribe: (ring: () => void) => () => void, signal: AbortSignal, clock: Clock): Waker {
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  const unsubscribe = subscribe(ring);
  signal.addEventListener('abort', ring);
  return {
    async wait(limitMs) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(limitMs, resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
        wake = undefined;
      }
      rung = false;
    },
    stop() {
      unsubscribe();
      signal.removeEventListener('abort', ring);
    },
  };
}
