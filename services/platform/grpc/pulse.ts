import type { Clock } from '../clock.ts';

/** A watcher that hears nothing cannot tell a quiet stream from a dead one: it is told something after this and one look. */
const SILENCE_MS_MAX = 4_000;

/** Says when a stream owes its reader a checkpoint. By a timer, for the clock may be set back. */
export interface Pulse {
  readonly isDue: boolean;
  /** Something was sent: the silence begins anew. */
  told(): void;
  stop(): void;
}

/** One for a reader that asks for checkpoints; `ring` wakes the stream when one falls due. `stop` must be called. */
export function startPulse(clock: Clock, isAskedFor: boolean, ring: () => void = () => undefined): Pulse {
  let isDue = false;
  let cancel: (() => void) | undefined;
  const fallDue = (): void => {
    isDue = true;
    ring();
  };
  const told = (): void => {
    cancel?.();
    isDue = false;
    if (isAskedFor) cancel = clock.after(SILENCE_MS_MAX, fallDue);
  };
  told();
  return {
    get isDue() {
      return isDue;
    },
    told,
    stop: () => cancel?.(),
  };
}
