import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
const IDS_PER_FILL = 512;
const pool = new Uint8Array(RANDOM_BYTES * IDS_PER_FILL);
let next = pool.length;
let lastMs = 0;
let order = 0;

/**
 * An id for a command: UUID version 7, in order of time, which the primary key lists by. Randomness is drawn for many at
 * once: one draw an id was a twelfth of what issuing a command costs.
 */
export function newCommandId(): string {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const random = pool.subarray(next, next + RANDOM_BYTES);
  next += RANDOM_BYTES;
  const nowMs = Date.now();
  // Within a millisecond, and while the clock steps back, a counter keeps the order.
  order = nowMs > lastMs ? 0 : order + 1;
  lastMs = Math.max(lastMs, nowMs);
  return v7({ random, msecs: lastMs, seq: order });
}
