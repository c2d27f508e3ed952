import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '../../platform/backoff.ts';
import { isUnavailable } from './errors.ts';

const REPEAT_BACKOFF = { firstMs: 100, maxMs: 2_000 };
const REPEATS_MAX = 3;

/** Repeats a call that changes nothing when it is made twice, a few times, while the platform is unavailable. */
export async function repeatWhileUnavailable<T>(call: () => Promise<T>): Promise<T> {
  for (let repeats = 0; ; repeats++) {
    try {
      return await call();
    } catch (thrown) {
      if (!isUnavailable(thrown) || repeats === REPEATS_MAX) throw thrown;
      await pause(backoffMs(repeats + 1, REPEAT_BACKOFF));
    }
  }
}
