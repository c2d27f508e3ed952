import { messageOf } from '../../services/platform/errors.ts';

/** How often an observed process is looked at. */
const POLL_MS = 10;

/**
 * Looks at something outside this process until it is so, and returns what it found. `condition` answers undefined or false
 * for "not yet"; a throw counts as "not yet" too, because what is observed may be restarting.
 * @throws Error naming `what` and the last failure when `timeoutMs` is over.
 */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let failure = '';
  for (;;) {
    try {
      const found = await condition();
      if (found !== undefined && found !== false) return found;
      failure = '';
    } catch (thrown) {
      failure = `; last failure: ${messageOf(thrown)}`;
    }
    if (performance.now() >= endMs) throw new Error(`${what}: not within ${timeoutMs} ms${failure}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
