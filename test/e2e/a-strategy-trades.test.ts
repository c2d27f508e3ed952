import { gunzipSync } from 'node:zlib';
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Evaluation, InstanceState, Section } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { PositionState, SignalState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { readParticipant, readSeries, runBacktest } from '../../services/backtest/index.ts';
import { realData } from '../harness/market-data.ts';
import { type MadeCandle, seriesCsv, strategyJson, TradingStack, when } from '../harness/trading.ts';
import { runCli } from '../harness/run-cli.ts';
import { until } from '../harness/until.ts';

let trading: TradingStack;

beforeAll(async () => {
  // What is asked when the series is over is about its end, and not about how long ago that was.
  const market = { STRATEGOS_MARKET_STALE_MS_MIN: '300000', STRATEGOS_MARKET_BLIND_MS_MIN: '600000' };
  trading = await TradingStack.start({ tradingEnv: { market } });
});
afterAll(() => trading[Symbol.asyncDispose]());

/** Flat, a pump of ten percent within five minutes, a turn, and flat again. */
const PUMP: readonly MadeCandle[] = [
  ...Array.from({ length: 40 }, () => ({ close: 100 })),
  ...[102, 104, 107, 110].map((close) => ({ close })),
  ...[110, 111, 110, 109, 107, 104, 102, 100].map((close) => ({ close })),
  ...Array.from({ length: 10 }, () => ({ close: 100 })),
];

const SECTIONS = {
  s1_signal: when('pump_magnitude_pct', '>=', 5),
  z1_entry: {
    ...when('pump_magnitude_pct', '>=', 5),
    positionSize: { type: 'percentage', value: 20 },
    stopLoss: { enabled: true, offsetPercent: 20 },
    takeProfit: { enabled: true, offsetPercent: 50 },
  },
  ze1_close: when('pump_magnitude_pct', '<', 0),
};

interface Told {
  readonly transitions: readonly string[];
  readonly trades: readonly string[];
}

function transitionText(timeMs: number, from: string, to: string, section: string): string {
  return `${timeMs} ${from} ${to} ${section}`;
}

/** The rows of some hours of a day, and the header. */
function between(day: Uint8Array, from: string, to: string): Uint8Array {
  const [header = '', ...rows] = gunzipSync(day).toString('utf8').trim().split('\n');
  const kept = rows.filter((row) => {
    const clock = new Date(Number(row.split(',', 1)[0])).toISOString().slice(11, 16);
    return clock >= from && clock < to;
  });
  return new TextEncoder().encode([header, ...kept].join('\n'));
}

/** What the back-test says of the same series. */
async function simulated(json: string, csv: Uint8Array): Promise<Told> {
  const { definition } = readParticipant(json);
  if (definition === undefined) throw new Error('the strategy cannot be run');
  const series = await readSeries(csv);
  const transitions: string[] = [];
  const trades: string[] = [];
  const run = runBacktest({
    series,
    symbol: 'X',
    participants: [{ instanceId: 'i', strategyId: 's', definition, revision: 1 }],
    initialBalance: '10000',
    costs: { feePercent: '', spreadPercent: '', slippagePercent: '' },
  });
  for (const event of run) {
    if (event.type === 'evaluation' && event.record.from !== event.record.to) {
      const { timeMs, from, to, section } = event.record;
      transitions.push(transitionText(timeMs, from, to, section));
    } else if (event.type === 'trade' && event.trade.exit !== undefined) {
      const { entryPrice, quantity, exit } = event.trade;
      trades.push(`${entryPrice} ${quantity} ${exit.price} ${exit.reason} ${exit.pnl}`);
    }
  }
  return { transitions, trades };
}

/** What the services and the agent did, as soon as it is as much as is expected. */
async function live(sessionId: string, expected: Told, withinMs: number): Promise<Told> {
  const transitions: string[] = [];
  const over = AbortSignal.timeout(withinMs);
  try {
    for await (const { evaluation } of trading.instances.watchTransitions(
      { sessionId, fromStart: true },
      { signal: over, timeoutMs: withinMs },
    )) {
      if (evaluation !== undefined && evaluation.fromState !== evaluation.toState) transitions.push(textOf(evaluation));
      if (transitions.length >= expected.transitions.length) break;
    }
  } catch (thrown) {
    if (!over.aborted) throw thrown;
  }
  const positions = await until(async () => {
    const response = await trading.sessions.listPositions({ sessionId });
    const closed = response.positions.filter(({ state }) => state === PositionState.CLOSED);
    return closed.length >= expected.trades.length ? closed : undefined;
  }, 'every position is closed');
  const trades = positions
    .toSorted((a, b) => msOf(a.entryTime) - msOf(b.entryTime))
    .map(
      ({ entryPrice, quantity, exitPrice, exitReason, pnl }) =>
        `${entryPrice} ${quantity} ${exitPrice} ${exitReason} ${pnl}`,
    );
  return { transitions, trades };
}

async function envOfCli() {
  return { STRATEGOS_URL: trading.stack.gatewayUrl, STRATEGOS_TOKEN: await trading.stack.token() };
}

/** What the command line prints, one command after the other. */
async function byCli(...commands: readonly (readonly string[])[]): Promise<string> {
  const env = await envOfCli();
  let printed = '';
  for (const command of commands) {
    const result = await runCli(command, env);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    printed += result.stdout;
  }
  return printed;
}

function msOf(time: Timestamp | undefined): number {
  return time === undefined ? 0 : timestampMs(time);
}

function textOf({ time, fromState, toState, section }: Evaluation): string {
  return transitionText(
    msOf(time),
    InstanceState[fromState] ?? '',
    InstanceState[toState] ?? '',
    (Section[section] ?? '').toLowerCase(),
  );
}

describe('a strategy trades through the real services as it does in a back-test', () => {
  test('on a generated pump: signal, entry and exit, seen by streams and lists', async () => {
    const json = strategyJson('pump', SECTIONS);
    const csv = seriesCsv(PUMP);
    const expected = await simulated(json, csv);
    expect(expected.trades).toHaveLength(1);
    await trading.create(json);
    // Twenty candles a second: faster than answers on a busy machine.
    await trading.replayCsv('PUMP_USDT', csv, 1_200);
    const session = await trading.startSession('pump', 'PUMP_USDT');
    expect(await live(session.id, expected, 60_000)).toEqual(expected);
    const { signals } = await trading.sessions.listSignals({ sessionId: session.id });
    expect(signals.map(({ state }) => SignalState[state])).toEqual(['ENTERED']);
    const { session: after } = await trading.sessions.getSession({ id: session.id });
    expect(after?.realisedPnl).toBe(expected.trades[0]?.split(' ').at(-1));
    const seen = await byCli(['session', 'positions', session.id], ['session', 'signals', session.id]);
    expect(seen).toContain('CLOSED');
    expect(seen).toContain('ze1_close');
    expect(seen).toContain('ENTERED');
    const explained = await byCli([
      'instance',
      'explain',
      '--session',
      session.id,
      '--strategy',
      'pump',
      '--symbol',
      'PUMP_USDT',
    ]);
    expect(explained).toContain('waits for s1_signal');
    expect(explained).toContain('POSITION_ACTIVE → EXITED');
  });

  test.each([
    ['instance', ['instance', 'watch', '0190f3c1-2f7a-7000-8000-000000000001']],
    ['session', ['instance', 'watch', '--session', '0190f3c1-2f7a-7000-8000-000000000001']],
  ])('a watch of no known %s says so, and does not wait for it', async (what, args) => {
    const { code, stderr } = await runCli(args, await envOfCli());
    expect(code).toBe(1);
    expect(stderr).toContain(`no ${what} "0190f3c1-2f7a-7000-8000-000000000001" in this account`);
  });

  test('on a real day with a sharp move', async ({ skip }) => {
    const day = realData('BTC_BUSD-1m-2022-12-13.csv.gz');
    if (day === undefined) return skip('the data are not there');
    const bytes = between(day, '09:30', '15:40');
    const json = strategyJson('real-pump', {
      ...SECTIONS,
      s1_signal: when('pump_magnitude_pct', '>=', 0.8),
      z1_entry: {
        ...when('pump_magnitude_pct', '>=', 0.5),
        positionSize: { type: 'percentage', value: 20 },
        stopLoss: { enabled: true, offsetPercent: 0.5 },
        takeProfit: { enabled: true, offsetPercent: 1 },
      },
      ze1_close: when('pump_magnitude_pct', '<', -0.5),
    });
    const expected = await simulated(json, bytes);
    expect(expected.trades.length).toBeGreaterThan(1);
    await trading.create(json);
    await trading.replayCsv('BTC_BUSD', bytes, 1_200);
    const session = await trading.startSession('real-pump', 'BTC_BUSD');
    expect(await live(session.id, expected, 100_000)).toEqual(expected);
  });
});
