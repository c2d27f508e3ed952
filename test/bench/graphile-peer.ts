import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Pool } from 'pg';
import { BATCH_ORDERS, BATCHES_AT_ONCE, order } from './order.ts';

const CONCURRENCY = 24;
const LOCAL_QUEUE_JOBS = 500;
const COMPLETE_BATCH_MS = 5;

/**
 * graphile-worker adding and running the same number of jobs on the same Postgres, with the same orders in them: they are added
 * in bulk by the same number of callers, with its local queue and batched completion on, which is its fastest configuration.
 * Gives jobs a second.
 */
export async function measureGraphileWorker(databaseUrl: string, jobs: number): Promise<number> {
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  const lost = (): void => finished.reject(new Error('the database went away'));
  pool.on('error', lost);
  pool.on('connect', (client) => client.on('error', lost));
  const runner = await run({
    pgPool: pool,
    noHandleSignals: true,
    logger: new Logger(() => () => undefined),
    taskList: {
      ping: () => {
        done += 1;
        if (done === jobs) finished.resolve();
      },
    },
    preset: {
      worker: {
        concurrentJobs: CONCURRENCY,
        localQueue: { size: LOCAL_QUEUE_JOBS },
        completeJobBatchDelay: COMPLETE_BATCH_MS,
        failJobBatchDelay: COMPLETE_BATCH_MS,
        maxPoolSize: 10,
      },
    },
  });
  const utils = await makeWorkerUtils({ pgPool: pool, logger: new Logger(() => () => undefined) });
  const begin = performance.now();
  let added = 0;
  const addSome = async (): Promise<void> => {
    while (added < jobs) {
      const from = added;
      const count = Math.min(BATCH_ORDERS, jobs - from);
      added += count;
      await utils.addJobs(
        Array.from({ length: count }, (_, k) => ({ identifier: 'ping' as const, payload: order('peer', from + k) })),
      );
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, addSome));
  await finished.promise;
  const seconds = (performance.now() - begin) / 1_000;
  await runner.stop();
  await utils.release();
  await pool.end();
  return jobs / seconds;
}
