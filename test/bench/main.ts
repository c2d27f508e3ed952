// Measures the platform beside its peer on the same machine, the same Postgres and in the same run. Ratios travel; absolute
// figures do not. `npm run bench -- --quick` takes about a minute, the whole of it a few.
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { startServers } from '../harness/servers.ts';
import { measureBacktest } from './backtest.ts';
import { measureEvaluation } from './evaluation.ts';
import { measureFanOut } from './fan-out.ts';
import { measureGraphileWorker } from './graphile-peer.ts';
import { type LifecycleResult, measureLifecycles } from './lifecycles.ts';
import { type LatencyWindow, measureOpenLoop } from './open-loop.ts';
import { percentile } from './percentile.ts';
import { measureFleetCosts } from './reconnect.ts';
import type { Way } from './single-issuer.ts';
import { Subject } from './subject.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'lifecycles,latency,fleet,evaluation,fan-out,backtest' },
  },
});
/** Readable in a log as well as on a terminal. */
const PLAIN = { head: [], border: [], compact: true };
const sections = new Set(values.only.split(','));
/** Sustained: ten seconds or so. A peer that is asked for a moment's work only does not show what its queue costs it. */
const commands = values.quick ? 30_000 : 100_000;
/** The peer's rate differs by the half from one measurement to the next, and ours by a quarter: one pair says little. */
const alternations = values.quick ? 1 : 5;
const warmUpCommands = 20_000;
const fleets = [1, 100, 1_000];
const idle = values.quick ? 2_000 : 10_000;
/** On a machine that shares its host with others, one window alone says what those did. */
const latencyWindows = values.quick ? 1 : 5;
const latencySeconds = values.quick ? 5 : 10;
const LATENCY_PER_SECOND = 500;
const WARM_UP_SECONDS = 8;
const WAYS: Readonly<Record<Way, string>> = { stream: 'open loop, over a stream', calls: 'open loop, a call each' };

// As an operator runs it, with each commit on disk; and room for what the sections store, for the peer too: with 512 MB a lifecycle
// cost Postgres 45 us instead of 40 after half a million, for pages that were written out to make room.
const { servers, running } = await startServers({ sharedBuffersMb: 2_048, outlivesMachine: true });
try {
  // First: for minutes after two million lifecycles and jobs Postgres cleans up behind them.
  if (sections.has('latency')) await latency();
  if (sections.has('lifecycles')) await lifecycles();
  if (sections.has('fleet')) await fleet();
  if (sections.has('evaluation')) await evaluation();
  if (sections.has('fan-out')) await fanOut();
  if (sections.has('backtest')) backtest();
} finally {
  await running.stop();
}

async function lifecycles(): Promise<void> {
  const table = new Table({
    style: PLAIN,
    head: ['full lifecycles', 'executors', 'per second', 'beside graphile-worker', 'processor time of each, us'],
  });
  await using subject = await Subject.start(servers);
  // Not counted: a program is compiled while it runs.
  await measureLifecycles(subject, 10, warmUpCommands);
  await measureGraphileWorker(subject.stack.databaseUrl, warmUpCommands);
  for (const executors of fleets) {
    const peers = [await measureGraphileWorker(subject.stack.databaseUrl, commands)];
    const pairs: Pair[] = [];
    for (let i = 0; i < alternations; i++) {
      const ours = await measureLifecycles(subject, executors, commands);
      peers.push(await measureGraphileWorker(subject.stack.databaseUrl, commands));
      pairs.push({ ours, peer: mean(peers.slice(-2)) });
    }
    table.push(row('strategos', pairs));
    table.push(['graphile-worker add and run', '', peers.map((peer) => Math.round(peer)).join(' / '), '1 ×', '']);
    // A frame, a receipt and an acknowledgement for each single command: what spreading costs.
    if (executors > 1) {
      const ours = await measureLifecycles(subject, executors, commands, 1);
      table.push(row('strategos, one command each in turn', [{ ours, peer: mean(peers) }]));
    }
  }
  console.log(
    `\n${commands} commands each: stored, sent, received, started, finished, with history, each checked to be exact`,
  );
  console.log(table.toString());
}

/** A measurement beside the peer's before and after it, so that a machine that slows down slows both. */
interface Pair {
  readonly ours: LifecycleResult;
  readonly peer: number;
}

/** The pair in the middle of all, by its ratio, and what the others came to. */
function row(name: string, pairs: readonly Pair[]): (string | number)[] {
  const byRatio = pairs.toSorted((one, other) => ratio(one) - ratio(other));
  const middle = byRatio[Math.floor(byRatio.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  const { executors, perSecond, cpuUs } = middle.ours;
  const ratios = byRatio.length === 1 ? '' : ` (${byRatio.map((pair) => ratio(pair).toFixed(2)).join(', ')})`;
  const shares = Object.entries(cpuUs).map(([who, us]) => `${who} ${us}`);
  return [name, executors, Math.round(perSecond), `${ratio(middle).toFixed(2)} ×${ratios}`, shares.join(', ')];
}

function ratio({ ours, peer }: Pair): number {
  return ours.perSecond / peer;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

async function latency(): Promise<void> {
  const table = new Table({
    style: PLAIN,
    head: [
      'accepted → received',
      'executors',
      'commands/s',
      'p50 ms',
      'p99 ms',
      'max ms',
      'from sending: p50, p99 ms',
      'taken by the host',
    ],
  });
  await using subject = await Subject.start(servers);
  const perSecond = LATENCY_PER_SECOND;
  await measureOpenLoop(subject, { way: 'calls', executors: 10, perSecond, seconds: WARM_UP_SECONDS, windows: 1 }); // not counted
  for (const [way, executors] of [...fleets.map((count) => ['stream', count] as const), ['calls', 1_000] as const]) {
    const loop = { way, executors, perSecond, seconds: latencySeconds, windows: latencyWindows };
    table.push([WAYS[way], executors, perSecond, ...latencyCells(await measureOpenLoop(subject, loop))]);
  }
  console.log('\nSingle commands at a fixed pace, whatever the answers do');
  console.log(table.toString());
}

/** Of all windows together, with the p99 of each beside it: one pause of ours counts, in whichever it falls. */
function latencyCells(windows: readonly LatencyWindow[]): string[] {
  const accepted = windows.flatMap(({ acceptedToReceivedMs }) => acceptedToReceivedMs);
  const sent = windows.flatMap(({ sentToReceivedMs }) => sentToReceivedMs);
  const p99s = windows.map(({ acceptedToReceivedMs }) => percentile(acceptedToReceivedMs, 0.99));
  const each = windows.length === 1 ? '' : ` (${p99s.toSorted((a, b) => a - b).join(', ')})`;
  const stolen = windows.map(({ stolenShare }) => stolenShare ?? NaN);
  return [
    String(percentile(accepted, 0.5)),
    `${percentile(accepted, 0.99)}${each}`,
    String(percentile(accepted, 1)),
    `${percentile(sent, 0.5)}, ${percentile(sent, 0.99)}`,
    `${(100 * mean(stolen)).toFixed(1)} %`,
  ];
}

async function fleet(): Promise<void> {
  await using subject = await Subject.start(servers);
  const costs = await measureFleetCosts(subject, idle);
  const table = new Table({
    style: PLAIN,
    head: ['idle executors', 'connect s', 'KiB each', 'all back after kill -9, s'],
  });
  table.push([
    costs.executors,
    costs.connectSeconds.toFixed(1),
    costs.idleKibEach.toFixed(0),
    costs.reconnectSeconds.toFixed(1),
  ]);
  console.log('\nExecutors that only hold their stream; the service is killed and started again');
  console.log(table.toString());
}

async function evaluation(): Promise<void> {
  const events = values.quick ? 100_000 : 400_000;
  const results = await measureEvaluation(events, events / 400);
  const limit = results.at(-1);
  const table = new Table({
    style: PLAIN,
    head: ['10 000 instances, rules of three conditions', 'indicator updates/s', 'rules/s', 'of the limit'],
  });
  for (const { name, updatesPerSecond, rulesPerSecond } of results) {
    const share = `${((100 * rulesPerSecond) / (limit?.rulesPerSecond ?? 1)).toPrecision(2)} %`;
    table.push([name, Math.round(updatesPerSecond), Math.round(rulesPerSecond), share]);
  }
  console.log('\nevery update changes every indicator of its symbol, and no two instances share their conditions');
  console.log(table.toString());
}

async function fanOut(): Promise<void> {
  const saves = values.quick ? 100 : 500;
  const table = new Table({
    style: PLAIN,
    head: ['save → applied everywhere', 'caches', 'p50 ms', 'p99 ms', 'p50 ms after the answer'],
  });
  for (const caches of [1, 4, 8]) {
    const result = await measureFanOut(servers, caches, saves);
    table.push([
      'strategos',
      caches,
      result.lastP50Ms.toFixed(1),
      result.lastP99Ms.toFixed(1),
      result.afterAnswerP50Ms.toFixed(1),
    ]);
  }
  console.log(`\n${saves} edits one after the other, until the last cache had each`);
  console.log(table.toString());
}

function backtest(): void {
  measureBacktest(20_000); // warm-up, not counted
  const { minutes, trades, minutesPerSecond } = measureBacktest(values.quick ? 100_000 : 500_000);
  const table = new Table({ style: PLAIN, head: ['back-test', 'minutes', 'trades', 'minutes a second'] });
  table.push(['five indicators, one strategy', minutes, trades, Math.round(minutesPerSecond)]);
  console.log('\nMarket data replayed through indicators, rules and the paper venue');
  console.log(table.toString());
}
