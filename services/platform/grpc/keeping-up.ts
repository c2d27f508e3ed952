import type { Clock } from '../clock.ts';
import { StatusError } from '../errors.ts';

/** How long a reader may leave one message untaken. */
const STALL_MS_MAX = 30_000;

/**
 * Passes a stream on and cuts off a reader that does not keep up. The transport asks for the next message only when there is
 * room for it, so the time until it asks is the reader's; meanwhile nothing is read ahead, and what waits is one message and
 * the transport's bounded buffer. @throws RESOURCE_EXHAUSTED (SLOW_CONSUMER) at the first sign of life after a stall.
 */
export async function* keepingUp<T>(source: AsyncIterable<T>, clock: Clock, resume: string): AsyncGenerator<T> {
  for await (const message of source) {
    let stalled = false;
    const cancel = clock.after(STALL_MS_MAX, () => {
      stalled = true;
    });
    try {
      yield message;
    } finally {
      cancel();
    }
    if (stalled) {
      throw new StatusError(
        'ResourceExhausted',
        'SLOW_CONSUMER',
        `a message was not taken for ${STALL_MS_MAX / 1_000} s; ${resume}`,
        { metadata: { stall_ms: String(STALL_MS_MAX) } },
      );
    }
  }
}
