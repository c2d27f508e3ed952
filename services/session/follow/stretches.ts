/** What gathers of a stream while the stretch before it is handled; so much is read ahead. */
const AHEAD_MAX = 500;

/**
 * Hands a stream on in stretches: an idle one event by event, a busy one in batches. Ends with the stream; what ends the
 * consumer, or `signal`, ends the reading.
 */
export async function* stretches<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T[]> {
  let waiting: T[] = [];
  let over = false;
  let failure: unknown;
  let wake: (() => void) | undefined;
  let room: (() => void) | undefined;
  const ring = (): void => wake?.();
  const reading = (async () => {
    try {
      for await (const item of source) {
        if (over || signal.aborted) return;
        waiting.push(item);
        wake?.();
        if (waiting.length >= AHEAD_MAX) await new Promise<void>((resolve) => (room = resolve));
      }
    } catch (thrown) {
      failure = thrown;
    } finally {
      over = true;
      wake?.();
    }
  })();
  signal.addEventListener('abort', ring);
  try {
    while (!signal.aborted) {
      if (waiting.length > 0) {
        const stretch = waiting;
        waiting = [];
        room?.();
        yield stretch;
      } else if (over) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    if (failure !== undefined && !signal.aborted) throw failure;
  } finally {
    over = true;
    room?.();
    signal.removeEventListener('abort', ring);
    // A source that was aborted ends by itself; its error has been told.
    if (signal.aborted) await reading;
  }
}
