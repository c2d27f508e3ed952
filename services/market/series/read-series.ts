import { CandleGate } from '../domain/candle-gate.ts';
import type { MarketEvent, TradeEvent } from '../domain/market-event.ts';
import { type CandleRow, readCandleRow, readTradeRow, type RowFault } from '../domain/row.ts';
import { SeriesCounter, type SeriesStats } from '../domain/series-stats.ts';
import { inOrderOfTime, usualStepMs } from '../domain/time-order.ts';
import { readCsvRows, type SeriesBytes, SeriesError } from './csv-rows.ts';

export { SeriesError, type SeriesBytes } from './csv-rows.ts';

/** A series that was read: events in order of time, and what was left out. */
export interface Series {
  readonly form: 'candles' | 'trades';
  /** Of candles; undefined for trades. Milliseconds. */
  readonly intervalMs: number | undefined;
  readonly events: readonly MarketEvent[];
  readonly stats: SeriesStats;
  /** Data rows in the file, faulty ones included. */
  readonly rows: number;
  /** SHA-256 of the uncompressed content, in hex. */
  readonly contentDigest: string;
}

const CANDLE_COLUMNS = ['timestamp_ms', 'open', 'high', 'low', 'close', 'volume'] as const;
const TRADE_COLUMNS = ['timestamp_ms', 'price', 'amount', 'side'] as const;
/** Interval of a series with a single candle. */
const INTERVAL_MS_DEFAULT = 60_000;
/** About two years of minutes: more than 8 MiB of honest gzip hold, and what fits into memory. */
const ROWS_MAX = 1_000_000;
/** A file with more is not a series with faults; each costs ten times what a sound row costs. */
const MALFORMED_MAX = 100_000;

interface Numbered<T> {
  readonly number: number;
  readonly row: T;
}

/**
 * Reads a CSV or gzipped CSV with a header line: candles `timestamp_ms,open,high,low,close,volume` (timestamp_ms is the open)
 * or trades `timestamp_ms,price,amount[,side]`; columns in any order, others are ignored. Faulty rows are counted and left
 * out. A candle's event time is its open plus the interval, which is the most frequent step between neighbouring rows
 * that are in order.
 * @throws SeriesError when the header is neither, nothing can be unpacked, or no row is usable.
 */
export async function readSeries(bytes: SeriesBytes): Promise<Series> {
  const counter = new SeriesCounter();
  let form: 'candles' | 'trades' | undefined;
  let places: readonly number[] = [];
  let rows = 0;
  let malformed = 0;
  const candles: Numbered<CandleRow>[] = [];
  const trades: Numbered<TradeEvent>[] = [];
  const keep = <T extends object>(kept: Numbered<T>[], row: T | RowFault): void => {
    if (!('fault' in row)) {
      kept.push({ number: rows, row });
      return;
    }
    counter.fault('malformed', `row ${rows}: ${row.fault}`);
    malformed += 1;
    if (malformed > MALFORMED_MAX) {
      throw new SeriesError(`has more than ${MALFORMED_MAX} malformed rows; the last one is row ${rows}: ${row.fault}`);
    }
  };
  const contentDigest = await readCsvRows(bytes, (cells) => {
    if (form === undefined) {
      form = formOf(cells);
      const names = cells.map((cell) => cell.toLowerCase());
      places = (form === 'candles' ? CANDLE_COLUMNS : TRADE_COLUMNS).map((column) => names.indexOf(column));
      return;
    }
    rows += 1;
    if (rows > ROWS_MAX) throw new SeriesError(`has more than ${ROWS_MAX} rows; split it`);
    const [a = '', b = '', c = '', d = '', e = '', f = ''] = places.map((place) => cells[place] ?? '');
    if (form === 'candles') keep(candles, readCandleRow(a, b, c, d, e, f));
    else keep(trades, readTradeRow(a, b, c, d));
  });
  if (form === undefined) throw new SeriesError('is empty; the first line must name the columns');
  const { intervalMs, events } = form === 'candles' ? candleEvents(candles, counter) : tradeEvents(trades, counter);
  if (events.length === 0) throw new SeriesError(`has no usable row${faultText(counter.stats)}`);
  return { form, intervalMs, events, stats: counter.stats, rows, contentDigest };
}

function formOf(header: readonly string[]): 'candles' | 'trades' {
  const names = new Set(header.map((cell) => cell.toLowerCase()));
  if (CANDLE_COLUMNS.every((column) => names.has(column))) return 'candles';
  if (['timestamp_ms', 'price', 'amount'].every((column) => names.has(column))) return 'trades';
  const found = header.join(',');
  throw new SeriesError(
    `begins with ${JSON.stringify(found.length <= 80 ? found : `${found.slice(0, 80)}…`)}; the first line must be ` +
      `${CANDLE_COLUMNS.join(',')} for candles or ${TRADE_COLUMNS.join(',')} for trades`,
  );
}

function ordered<T>(rows: readonly Numbered<T>[], timeMs: (row: T) => number, counter: SeriesCounter): Numbered<T>[] {
  const inOrder = inOrderOfTime(rows.map(({ row }) => timeMs(row)));
  return rows.filter(({ number, row }, at) => {
    if (inOrder[at] === true) return true;
    counter.fault('outOfOrder', `row ${number}: ${timeMs(row)} stands between rows of another time`);
    return false;
  });
}

interface Events {
  readonly intervalMs: number | undefined;
  readonly events: readonly MarketEvent[];
}

function candleEvents(candles: readonly Numbered<CandleRow>[], counter: SeriesCounter): Events {
  const inOrder = ordered(candles, (row) => row.timestampMs, counter);
  const intervalMs = usualStepMs(inOrder.map(({ row }) => row.timestampMs)) ?? INTERVAL_MS_DEFAULT;
  const gate = new CandleGate(intervalMs, counter);
  const events = inOrder.flatMap(({ number, row }) => gate.admit(row, `row ${number}`) ?? []);
  return { intervalMs, events };
}

/** Trades of one moment are different trades: they have no duplicates. */
function tradeEvents(trades: readonly Numbered<TradeEvent>[], counter: SeriesCounter): Events {
  const events = ordered(trades, (trade) => trade.timeMs, counter).map(({ row }) => {
    counter.event();
    return row;
  });
  return { intervalMs: undefined, events };
}

function faultText({ recentFaults }: SeriesStats): string {
  const last = recentFaults.at(-1);
  return last === undefined ? '; it ends after its first line' : `; ${last}`;
}
