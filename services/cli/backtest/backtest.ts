import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import colors from 'picocolors';
import type { BacktestEvent, BacktestSummary, Participant, Series, Trade } from '../../backtest/index.ts';
import { messageOf } from '../../platform/errors.ts';
import { type Cli, globals } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { reportPage } from './report.ts';

interface BacktestOptions {
  readonly strategy: string;
  readonly symbol?: string;
  readonly html?: string;
  readonly balance: string;
  readonly fee: string;
  readonly spread: string;
  readonly slippage: string;
}

type Transition = Extract<BacktestEvent, { readonly type: 'evaluation' }>['record'];

const EXAMPLES = `
--data names CSV or CSV.gz with a header line: timestamp_ms,open,high,low,close,volume (timestamp_ms is the candle's open), or
timestamp_ms,price,amount,side. Entries and exits decided at a candle's close are filled at that close; stop loss and take
profit are looked at from the next candle on. Nothing is asked of a platform.

With --json: one line a transition (kind, timeMs, symbol, from, to, section, reason), one a trade (kind, entryTimeMs,
entryPrice, exitTimeMs, exitPrice, exitReason, quantity, pnl), and a summary. The same input gives the same bytes.

Examples:
  $ strategos backtest --strategy pump.json --data BTC_USDT-1m.csv.gz
  $ strategos backtest --strategy pump.json --data prices.csv --symbol BTC_USDT --fee 0.1 --html report.html`;

/** `strategos backtest`: the evaluator's rules and the paper venue over a file, on a simulated clock. */
export function registerBacktest(program: Command, cli: Cli): void {
  program
    .command('backtest')
    .description('run a strategy over recorded prices, here and at full speed')
    .usage('--strategy <file> --data <file> [options]')
    .requiredOption('--strategy <file>', 'strategy in the JSON form')
    .option('--symbol <symbol>', "what they are prices of (the file's name up to its first dash without it)")
    .option('--html <file>', 'write a report with price, signals and equity drawn')
    .option('--balance <amount>', 'initial balance', '10000')
    .option('--fee <percent>', 'of the amount of each fill', '0')
    .option('--spread <percent>', 'between bid and ask; stops and targets fill at their own price', '0')
    .option('--slippage <percent>', 'by which each entry, and each exit but stops and targets, is worse', '0')
    .addHelpText('after', EXAMPLES)
    .action(async (options: BacktestOptions, command: Command) => {
      // Everywhere else --data is the platform's folder, and the program reads it for all of its commands.
      const { data } = globals(command);
      if (data === undefined)
        throw usageError("required option '--data <file>' not specified: prices as CSV or CSV.gz");
      await backtest(cli.output(command), { ...options, data });
    });
}

/** Only this command computes: loading what it needs would double the time that every other takes to start. */
const engine = () => import('../../backtest/index.ts');

async function backtest(out: Output, options: BacktestOptions & { readonly data: string }): Promise<void> {
  const symbol = (options.symbol ?? symbolOf(options.data)).toUpperCase();
  const participant = await readStrategy(options.strategy, symbol);
  const series = await readData(options.data);
  const costs = {
    feePercent: percent('--fee', options.fee),
    spreadPercent: percent('--spread', options.spread),
    slippagePercent: percent('--slippage', options.slippage),
  };
  const { runBacktest } = await engine();
  const run = runBacktest({
    series,
    symbol,
    participants: [participant],
    initialBalance: positive('--balance', options.balance),
    costs,
  });
  const progress = new ProgressLine(out.json ? undefined : process.stderr);
  const trades = new Map<string, Trade>();
  const transitions: Transition[] = [];
  let summary: BacktestSummary;
  for (;;) {
    const next = run.next();
    if (next.done === true) {
      summary = next.value;
      break;
    }
    const event = next.value;
    if (event.type === 'progress') progress.show(event.percent);
    else if (event.type === 'trade') {
      trades.set(event.trade.id, event.trade);
      if (event.trade.exit !== undefined) out.jsonLine(tradeLine(symbol, event.trade));
    } else if (!event.record.blocked && event.record.from !== event.record.to) {
      transitions.push(event.record);
      out.jsonLine(transitionLine(symbol, event.record));
    }
  }
  progress.clear();
  for (const trade of trades.values()) if (trade.exit === undefined) out.jsonLine(tradeLine(symbol, trade));
  out.jsonLine(summaryLine(symbol, options.balance, series, summary));
  show(out, participant, [...trades.values()], series, summary);
  if (options.html === undefined) return;
  const page = await reportPage({
    symbol,
    participant,
    trades: [...trades.values()],
    transitions,
    summary,
    initialBalance: options.balance,
  });
  await writeFile(options.html, page);
  out.say('');
  out.say(`report: ${options.html}`);
}

async function readStrategy(file: string, symbol: string): Promise<Participant> {
  const { readParticipant } = await engine();
  const { definition, faults } = readParticipant(await text(file, '--strategy'));
  if (definition === undefined) {
    const lines = faults
      .filter(({ warning }) => !warning)
      .map(({ field, description }) => `${field || 'the file'}: ${description}`);
    throw new CliError(EXIT.failed, `${file} cannot be run:\n  ${lines.join('\n  ')}`);
  }
  return { instanceId: `${definition.strategyName}@${symbol}`, strategyId: '', definition, revision: 1 };
}

async function readData(file: string): Promise<Series> {
  const { readSeries, SeriesError } = await engine();
  try {
    return await readSeries(createReadStream(file));
  } catch (thrown) {
    if (thrown instanceof SeriesError) throw new CliError(EXIT.failed, `${file} ${thrown.message}`, { cause: thrown });
    throw usageError(`--data: ${messageOf(thrown)}`, thrown);
  }
}

async function text(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw usageError(`${option}: ${messageOf(thrown)}`, thrown);
  }
}

function symbolOf(file: string): string {
  return basename(file).split(/[-.]/, 1)[0] || 'PRICES';
}

function percent(option: string, value: string): string {
  if (/^\d{1,2}(\.\d{1,12})?$/.test(value)) return value;
  throw usageError(`${option} must be a percentage from 0 to below 100, such as 0.1, not "${value}"`);
}

function positive(option: string, value: string): string {
  if (/^\d{1,18}(\.\d{1,12})?$/.test(value) && Number(value) > 0) return value;
  throw usageError(`${option} must be an amount above 0, such as 10000, not "${value}"`);
}

function transitionLine(symbol: string, { timeMs, from, to, section, reason, price }: Transition) {
  return { kind: 'transition', timeMs, symbol, from, to, section, reason, price };
}

function tradeLine(symbol: string, { entryTimeMs, entryPrice, quantity, exit }: Trade) {
  return {
    kind: 'trade',
    symbol,
    entryTimeMs,
    entryPrice,
    exitTimeMs: exit?.timeMs ?? null,
    exitPrice: exit?.price ?? null,
    exitReason: exit?.reason ?? null,
    quantity,
    pnl: exit?.pnl ?? null,
  };
}

function summaryLine(symbol: string, initialBalance: string, { rows, stats }: Series, summary: BacktestSummary) {
  const { prices: _prices, equityCurve: _curve, ...totals } = summary;
  const { events, gaps, duplicates, outOfOrder, malformed } = stats;
  return { kind: 'summary', symbol, initialBalance, ...totals, rows, events, gaps, duplicates, outOfOrder, malformed };
}

function show(
  out: Output,
  { definition }: Participant,
  trades: readonly Trade[],
  { rows, stats }: Series,
  summary: BacktestSummary,
): void {
  const faulty = rows - stats.events;
  out.table(
    ['ENTRY', 'PRICE', 'QUANTITY', 'EXIT', 'PRICE', 'REASON', 'PNL'],
    trades.map(({ entryTimeMs, entryPrice, quantity, exit }) => [
      moment(entryTimeMs),
      entryPrice,
      quantity,
      exit === undefined ? 'open' : moment(exit.timeMs),
      exit?.price ?? '',
      exit?.reason ?? '',
      exit === undefined ? '' : coloured(exit.pnl),
    ]),
    'no trades',
  );
  out.say('');
  out.details([
    ['strategy', definition.strategyName],
    [
      'data',
      `${stats.events} events${faulty > 0 ? `, ${faulty} faulty rows left out` : ''}${stats.gaps > 0 ? `, ${stats.gaps} candles missing` : ''}`,
    ],
    ['trades', `${summary.trades}, ${summary.winningTrades} with profit, ${summary.openPositions} open`],
    ['profit', coloured(summary.realisedPnl)],
    ['fees', summary.fees === '0' ? '' : summary.fees],
    ['equity', summary.equity],
    ['largest fall', `${summary.maxDrawdownPct} %`],
  ]);
  for (const fault of stats.recentFaults) out.note(fault);
}

function moment(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

function coloured(amount: string): string {
  return amount.startsWith('-') ? colors.red(amount) : colors.green(amount);
}
