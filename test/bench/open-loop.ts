import type { QueryResultRow } from 'pg';
import { stolenMeter } from './cpu.ts';
import { FleetDriver } from './fleet-driver.ts';
import { type SingleIssuer, singleIssuer, type Way } from './single-issuer.ts';
import type { Subject } from './subject.ts';

export interface LatencyWindow {
  /** Of each command, from its creation to the agent's receipt, as the platform recorded it. */
  readonly acceptedToReceivedMs: readonly number[];
  /** From its sending: what waits to be accepted counts too. */
  readonly sentToReceivedMs: readonly number[];
  /** Of the machine's processor time, what its host gave to others meanwhile; undefined where nobody counts it. */
  readonly stolenShare: number | undefined;
}

export interface OpenLoop {
  readonly way: Way;
  readonly executors: number;
  readonly perSecond: number;
  /** Of one window. */
  readonly seconds: number;
  /** So many are wanted in which the machine had its processors to itself; twice as many are tried. */
  readonly windows: number;
}

/** Of a window that says something about the platform. At 5 % the p99 doubles, whatever runs here. */
const STOLEN_SHARE_MAX = 0.01;

const TURN_MS = 2;
const SETTLE_MS_MAX = 30_000;

/**
 * Issues single commands at a fixed pace whatever the answers do (open loop: a slow answer does not slow the next), and gives
 * how long each took. Windows of which the host took much are tried anew, and those of which it took least are given.
 */
export async function measureOpenLoop(subject: Subject, loop: OpenLoop): Promise<LatencyWindow[]> {
  const { way, executors, perSecond, seconds, windows } = loop;
  const prefix = `${way}${executors}-`;
  const credentials = await subject.create(prefix, executors);
  await using fleet = new FleetDriver();
  await fleet.connect(subject.linkUrl, credentials);
  const count = perSecond * seconds;
  using issuer = singleIssuer(subject, way, (i) => `${prefix}${i % executors}`, count);
  const results: LatencyWindow[] = [];
  for (let window = 1; window <= 2 * windows && results.filter(isUndisturbed).length < windows; window++) {
    const [mark] = await subject.query<{ n: string }>('SELECT event_number AS n FROM command.account');
    const stolen = stolenMeter();
    const sentMs = await issueAll(issuer, count, perSecond);
    const stolenShare = stolen();
    await fleet.untilAcknowledged(window * count, SETTLE_MS_MAX);
    const receipts = await receiptsAfter(subject, Number(mark?.n ?? 0));
    if (receipts.length !== count) throw new Error(`${count} commands were issued, and ${receipts.length} are stored`);
    results.push({
      acceptedToReceivedMs: receipts.map(({ acceptedMs, receivedMs }) => receivedMs - acceptedMs),
      sentToReceivedMs: receipts.map(({ receivedMs }, i) => receivedMs - (sentMs[i] ?? NaN)),
      stolenShare,
    });
  }
  return results.toSorted((one, other) => (one.stolenShare ?? 0) - (other.stolenShare ?? 0)).slice(0, windows);
}

function isUndisturbed({ stolenShare }: LatencyWindow): boolean {
  return (stolenShare ?? 0) <= STOLEN_SHARE_MAX;
}

/** When each was sent. */
async function issueAll(issuer: SingleIssuer, count: number, perSecond: number): Promise<number[]> {
  const sentMs: number[] = [];
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - begin) / 1_000) * perSecond));
      while (sentMs.length < due) {
        issuer.issue(sentMs.length);
        sentMs.push(Date.now());
      }
      if (sentMs.length < count) return;
      clearInterval(timer);
      resolve();
    }, TURN_MS);
  });
  await issuer.allIssued();
  return sentMs;
}

interface Receipt {
  readonly acceptedMs: number;
  readonly receivedMs: number;
}

/** In the order of issue. */
function receiptsAfter(subject: Subject, number: number): Promise<Receipt[]> {
  return subject.query<Receipt & QueryResultRow>(
    `SELECT extract(epoch FROM create_time)::float8 * 1000 AS "acceptedMs",
            extract(epoch FROM received_time)::float8 * 1000 AS "receivedMs"
     FROM command.command WHERE sequence > $1 ORDER BY sequence`,
    [number],
  );
}
