import { create, toBinary } from '@bufbuild/protobuf';
import { CommandService, IssueCommandRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { stolenMeter } from './cpu.ts';
import { FleetDriver } from './fleet-driver.ts';
import type { LightConnection } from './light-connection.ts';
import type { Subject } from './subject.ts';

export interface LatencyWindow {
  /** Of each command. */
  readonly latenciesMs: readonly number[];
  /** Of the machine's processor time, what its host gave to others meanwhile; undefined where nobody counts it. */
  readonly stolenShare: number | undefined;
}

export interface OpenLoop {
  readonly executors: number;
  readonly perSecond: number;
  /** Of one window. */
  readonly seconds: number;
  /** So many are wanted in which the machine had its processors to itself; twice as many are tried. */
  readonly windows: number;
}

/** Of a window that says something about the platform. At 5 % the p99 doubles, whatever runs here. */
const STOLEN_SHARE_MAX = 0.01;

const PATH = pathOf(CommandService.method.issueCommand);
const TURN_MS = 2;
const SETTLE_MS_MAX = 30_000;

/**
 * Issues single commands at a fixed pace whatever the answers do (open loop: a slow answer does not slow the next call), and
 * gives accepted→received of each window as the platform recorded it: from the command's creation to the agent's receipt. Windows of
 * which the host took much are tried anew, and those of which it took least are given.
 */
export async function measureOpenLoop(subject: Subject, loop: OpenLoop): Promise<LatencyWindow[]> {
  const { executors, perSecond, seconds, windows } = loop;
  const prefix = `open${executors}-`;
  const credentials = await subject.create(prefix, executors);
  await using fleet = new FleetDriver();
  await fleet.connect(subject.linkUrl, credentials);
  using connection = subject.lightConnection();
  // Made before: nothing but the platform is to be measured.
  const requests = Array.from({ length: perSecond * seconds }, (_, i) => requestBytes(`${prefix}${i % executors}`, i));
  const results: LatencyWindow[] = [];
  for (let window = 1; window <= 2 * windows && results.filter(isUndisturbed).length < windows; window++) {
    const [mark] = await subject.query<{ n: string }>('SELECT event_number AS n FROM command.account');
    const stolen = stolenMeter();
    await issueAll(connection, requests, perSecond);
    const stolenShare = stolen();
    await fleet.untilAcknowledged(window * requests.length, SETTLE_MS_MAX);
    results.push({ latenciesMs: await latenciesAfter(subject, Number(mark?.n ?? 0)), stolenShare });
  }
  return results.toSorted((one, other) => (one.stolenShare ?? 0) - (other.stolenShare ?? 0)).slice(0, windows);
}

function isUndisturbed({ stolenShare }: LatencyWindow): boolean {
  return (stolenShare ?? 0) <= STOLEN_SHARE_MAX;
}

async function issueAll(
  connection: LightConnection,
  requests: readonly Uint8Array[],
  perSecond: number,
): Promise<void> {
  const answers: Promise<unknown>[] = [];
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - begin) / 1_000) * perSecond);
      for (const request of requests.slice(answers.length, due)) answers.push(connection.call(PATH, request));
      if (answers.length < requests.length) return;
      clearInterval(timer);
      resolve();
    }, TURN_MS);
  });
  await Promise.all(answers);
}

async function latenciesAfter(subject: Subject, number: number): Promise<number[]> {
  const rows = await subject.query<{ ms: number }>(
    `SELECT extract(epoch FROM received_time - create_time)::float8 * 1000 AS ms FROM command.command WHERE sequence > $1`,
    [number],
  );
  return rows.map(({ ms }) => ms);
}

function requestBytes(executor: string, i: number): Uint8Array {
  const kind = { case: 'ping', value: { payload: String(i) } } as const;
  return toBinary(IssueCommandRequestSchema, create(IssueCommandRequestSchema, { executor, kind }));
}
