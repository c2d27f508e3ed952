import { create, toBinary } from '@bufbuild/protobuf';
import { CommandService, IssueCommandRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { FleetDriver } from './fleet-driver.ts';
import type { Subject } from './subject.ts';

export interface LatencyResult {
  readonly perSecond: number;
  readonly commands: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const PATH = pathOf(CommandService.method.issueCommand);
const TURN_MS = 2;
const SETTLE_MS_MAX = 30_000;

/**
 * Issues single commands at a fixed pace whatever the answers do (open loop: a slow answer does not slow the next call), and
 * gives accepted→received as the platform recorded it: from the command's creation to the agent's receipt.
 */
export async function measureOpenLoop(
  subject: Subject,
  executors: number,
  perSecond: number,
  seconds: number,
): Promise<LatencyResult> {
  const prefix = `open${executors}-`;
  const credentials = await subject.create(prefix, executors);
  await using fleet = new FleetDriver();
  await fleet.connect(subject.linkUrl, credentials);
  using connection = subject.lightConnection();
  const commands = perSecond * seconds;
  const [mark] = await subject.query<{ n: string }>('SELECT event_number AS n FROM command.account');
  const answers: Promise<unknown>[] = [];
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(commands, Math.floor(((performance.now() - begin) / 1_000) * perSecond));
      while (answers.length < due) {
        const i = answers.length;
        const kind = { case: 'ping', value: { payload: String(i) } } as const;
        const request = create(IssueCommandRequestSchema, { executor: `${prefix}${i % executors}`, kind });
        answers.push(connection.call(PATH, toBinary(IssueCommandRequestSchema, request)));
      }
      if (answers.length >= commands) {
        clearInterval(timer);
        resolve();
      }
    }, TURN_MS);
  });
  await Promise.all(answers);
  await fleet.untilAcknowledged(commands, SETTLE_MS_MAX);
  const [row] = await subject.query<{ p50: number; p99: number; max: number }>(
    `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99,
       max(ms) AS max
     FROM (SELECT extract(epoch FROM received_time - create_time)::float8 * 1000 AS ms FROM command.command
           WHERE sequence > $1) t`,
    [Number(mark?.n ?? 0)],
  );
  return { perSecond, commands, p50Ms: row?.p50 ?? NaN, p99Ms: row?.p99 ?? NaN, maxMs: row?.max ?? NaN };
}
