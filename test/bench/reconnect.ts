import { readFile } from 'node:fs/promises';
import { FleetDriver } from './fleet-driver.ts';
import type { Subject } from './subject.ts';

export interface FleetCosts {
  readonly executors: number;
  readonly connectSeconds: number;
  /** Growth of the service's resident memory for each idle connected executor. */
  readonly idleKibEach: number;
  /** From the service's new start until every executor has a proven stream again. */
  readonly reconnectSeconds: number;
}

const CONNECTS_AT_ONCE = 500;
const RECONNECT_MS_MAX = 180_000;
const POLL_MS = 100;

/** Connects executors that do nothing, weighs them, kills the service for real, and times how long they take to come back. */
export async function measureFleetCosts(subject: Subject, executors: number): Promise<FleetCosts> {
  const credentials = await subject.create(`idle${executors}-`, executors);
  await using fleet = new FleetDriver();
  const before = await residentKib(subject.pid);
  const connectMs = await fleet.connect(subject.linkUrl, credentials, CONNECTS_AT_ONCE);
  const idleKibEach = ((await residentKib(subject.pid)) - before) / executors;

  await subject.stack.killReplica(0);
  const [epochs] = await subject.query<{ epochs: string }>('SELECT sum(stream_epoch) AS epochs FROM command.executor');
  await subject.stack.replica(0).start();
  const begin = performance.now();
  for (;;) {
    const [back] = await subject.query<{ now: string }>(
      'SELECT count(*) AS now FROM command.executor WHERE name LIKE $1 AND stream_epoch > 1 AND disconnect_time IS NULL',
      [`idle${executors}-%`],
    );
    if (Number(back?.now) >= executors) break;
    if (performance.now() - begin > RECONNECT_MS_MAX) {
      throw new Error(`only ${back?.now} of ${executors} executors came back (sum of epochs was ${epochs?.epochs})`);
    }
    await new Promise<void>((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    executors,
    connectSeconds: connectMs / 1_000,
    idleKibEach,
    reconnectSeconds: (performance.now() - begin) / 1_000,
  };
}

/** Resident memory of a process, from the kernel. */
async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN);
}
