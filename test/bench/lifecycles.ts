import { randomUUID } from 'node:crypto';
import { cpuMeter, withDescendants } from './cpu.ts';
import { FleetDriver } from './fleet-driver.ts';
import { issueOrders } from './light-issue.ts';
import { BATCH_ORDERS, BATCHES_AT_ONCE, order } from './order.ts';
import type { Subject } from './subject.ts';

export interface LifecycleResult {
  readonly executors: number;
  readonly commands: number;
  readonly perSecond: number;
  /** Processor time for each lifecycle, in microseconds, by who spent it. */
  readonly cpuUs: Readonly<Record<string, number>>;
}

/** Commands in a row for one executor, as a caller that works through its positions asks for them. */
const RUN_COMMANDS = 10;
/** For one executor; the platform takes twice as many. */
const UNFINISHED_MAX = 10_000;
const LIFECYCLES_MS_MAX = 120_000;

/**
 * Issues commands in batches to connected executors, ten for one and then ten for the next, and waits until the platform has
 * acknowledged each result as durable. Then every command is checked: delivered once, SUCCEEDED, with its whole history.
 */
export async function measureLifecycles(
  subject: Subject,
  executors: number,
  commands: number,
  run = RUN_COMMANDS,
): Promise<LifecycleResult> {
  const prefix = `life-${randomUUID()}-`;
  const credentials = await subject.create(prefix, executors);
  await using fleet = new FleetDriver();
  using connection = subject.lightConnection();
  await fleet.connect(subject.linkUrl, credentials);
  const [before] = await subject.query<{ n: string }>('SELECT event_number AS n FROM command.account');

  const postmaster = await subject.postgresPid();
  const spent = cpuMeter({
    service: () => [subject.pid],
    postgres: () => withDescendants(postmaster),
    executors: () => [fleet.pid],
    issuer: () => [process.pid],
  });
  const begin = performance.now();
  let issued = 0;
  const issueSome = async (): Promise<void> => {
    while (issued < commands) {
      const from = issued;
      const count = Math.min(BATCH_ORDERS, commands - from);
      issued += count;
      // What an executor may have waiting is bounded, and callers are told to come again: these wait before they are told.
      await fleet.untilAcknowledged(from - UNFINISHED_MAX * executors, LIFECYCLES_MS_MAX);
      const orders = Array.from({ length: count }, (_, k) =>
        order(`${prefix}${Math.floor((from + k) / run) % executors}`, from + k),
      );
      await issueOrders(connection, orders);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, issueSome));
  await fleet.untilAcknowledged(commands, LIFECYCLES_MS_MAX);
  const seconds = (performance.now() - begin) / 1_000;
  const cpuUs = spent((ms) => (ms * 1_000) / commands);

  await checkExact(subject, fleet, Number(before?.n ?? 0), commands);
  return { executors, commands, perSecond: commands / seconds, cpuUs };
}

async function checkExact(subject: Subject, fleet: FleetDriver, afterNumber: number, commands: number): Promise<void> {
  const counted = await fleet.count();
  const [row] = await subject.query<{ succeeded: string; steps: string }>(
    `SELECT count(DISTINCT c.id) FILTER (WHERE c.state = 'SUCCEEDED') AS succeeded, sum(json_array_length(h.steps -> 's')) AS steps
     FROM command.history h JOIN command.command c ON c.id = h.command_id WHERE h.number > $1`,
    [afterNumber],
  );
  const stepsEach = 5; // issued, sent, received, started, finished
  const wrong = [
    counted.received === commands ? '' : `${counted.received} of ${commands} were delivered`,
    counted.duplicates === 0 ? '' : `${counted.duplicates} came twice`,
    Number(row?.succeeded) === commands ? '' : `${row?.succeeded} of ${commands} succeeded`,
    Number(row?.steps) === commands * stepsEach
      ? ''
      : `the history has ${row?.steps} steps instead of ${commands * stepsEach}`,
  ].filter((text) => text !== '');
  if (wrong.length > 0) throw new Error(`not exact: ${wrong.join('; ')}`);
}
