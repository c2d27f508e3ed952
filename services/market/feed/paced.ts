import type { Clock } from '../../platform/clock.ts';
import { pause } from '../../platform/pause.ts';
import type { MarketEvent } from '../domain/market-event.ts';

/** Events that are due at once go together, up to this many. */
export const BATCH_EVENTS_MAX = 100;

/**
 * Gives events at their time: the first at once, each later one when as much time has passed as lies between them,
 * divided by `speed`; those that are due together in one batch. Ends early when `signal` aborts.
 */
export async function* paced(
  events: Iterable<MarketEvent>,
  options: { readonly speed: number; readonly clock: Clock; readonly signal: AbortSignal; readonly originMs?: number },
): AsyncGenerator<readonly MarketEvent[]> {
  const { speed, clock, signal } = options;
  const startMs = clock.steadyMs();
  let originMs = options.originMs;
  let batch: MarketEvent[] = [];
  for (const event of events) {
    originMs ??= event.timeMs;
    const dueMs = startMs + (event.timeMs - originMs) / speed;
    if (batch.length > 0 && (dueMs > clock.steadyMs() || batch.length >= BATCH_EVENTS_MAX)) {
      yield batch;
      batch = [];
    }
    for (let leftMs = dueMs - clock.steadyMs(); leftMs > 0 && !signal.aborted; leftMs = dueMs - clock.steadyMs()) {
      await pause(clock, leftMs, signal);
    }
    if (signal.aborted) return;
    batch.push(event);
  }
  if (batch.length > 0) yield batch;
}
