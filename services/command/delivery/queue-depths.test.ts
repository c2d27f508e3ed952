import { Pool } from 'pg';
import { afterEach, expect, test } from 'vitest';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import { ManualClock } from '../../platform/clock.ts';
import { QueueDepths } from './queue-depths.ts';

const EXECUTOR = sampleExecutor();
const HOUR_MS = 3_600_000;
const pools: Pool[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

/** An executor whose stream another replica holds, with as many open commands as a test says. */
function setUp(queuedMax: number) {
  const clock = new ManualClock();
  const stored = { open: 0, counts: 0 };
  const pool = new Pool();
  pools.push(pool);
  const query = async () => {
    stored.counts += 1;
    return { rows: [{ executor_id: EXECUTOR.id, open: stored.open, in_flight: 0 }] };
  };
  Object.assign(pool, { query });
  return { clock, stored, depths: new QueueDepths({ pool, clock, queuedMax, openHere: () => undefined }) };
}

test('a count serves for a second', async () => {
  const { clock, stored, depths } = setUp(2);
  await depths.load([EXECUTOR.id]);
  clock.advance(999);
  await depths.load([EXECUTOR.id]);
  expect(stored.counts).toBe(1);
  clock.advance(1);
  await depths.load([EXECUTOR.id]);
  expect(stored.counts).toBe(2);
});

test('with the clock set back, what has ended meanwhile makes room as before', async () => {
  const { clock, stored, depths } = setUp(2);
  await depths.load([EXECUTOR.id]);
  for (let n = 0; n < 2; n++) depths.added(EXECUTOR.id);
  expect(depths.refusal(EXECUTOR, 1)?.reason).toBe('QUEUE_FULL');
  clock.advance(-HOUR_MS);
  stored.open = 0;
  await depths.load([EXECUTOR.id]);
  expect(depths.refusal(EXECUTOR, 1)).toBeUndefined();
});
