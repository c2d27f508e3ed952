import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { pause } from '../../platform/pause.ts';
import { CandleGate } from '../domain/candle-gate.ts';
import type { CandleEvent } from '../domain/market-event.ts';
import { readCandleRow } from '../domain/row.ts';
import { SeriesCounter, type SeriesStats } from '../domain/series-stats.ts';
import type { ExchangeKind } from '../domain/source.ts';
import { type Feed, FeedError } from './feed.ts';

/** One candle as an exchange tells it: open time in ms, open, high, low, close, volume; text, or numbers where it has no text. */
export type ExchangeCandle = readonly (string | number | null | undefined)[];

/** What is needed of an exchange's library. */
export interface Exchange {
  /** One-minute candles from `sinceMs` on, oldest first, the one that is still open included. */
  fetchCandles(symbol: string, sinceMs: number, candlesMax: number): Promise<readonly ExchangeCandle[]>;
  /** Whether the failure will not pass by itself, such as a symbol that the exchange does not have. */
  isFinal(thrown: unknown): boolean;
  close(): Promise<void>;
}

/** Opens an exchange by its id. @throws FeedError when there is no such exchange. */
export type OpenExchange = (exchange: string) => Promise<Exchange>;

const INTERVAL_MS = 60_000;
const POLL_MS = 2_000;
const CANDLES_MAX = 500;
/** How far a first look goes back, so that indicators begin warmed up. */
const HISTORY_CANDLES = 400;
const RETRY = { firstMs: 1_000, maxMs: 60_000 };

/** Follows one-minute candles of an exchange: asks every two seconds, and takes a candle when its minute is over. */
export function exchangeFeed(
  kind: ExchangeKind,
  from: { readonly lastOpenMs: number | undefined; readonly stats: SeriesStats },
  open: OpenExchange,
  clock: Clock,
): Feed {
  const counter = new SeriesCounter(from.stats);
  const gate = new CandleGate(INTERVAL_MS, counter, from.lastOpenMs);
  let sinceMs =
    from.lastOpenMs === undefined
      ? (Math.floor(clock.nowMs() / INTERVAL_MS) - HISTORY_CANDLES) * INTERVAL_MS
      : from.lastOpenMs + INTERVAL_MS;
  const closedCandles = (rows: readonly ExchangeCandle[]): CandleEvent[] =>
    rows.flatMap((cells) => {
      const [time, open_, high, low, close, volume] = cells.map((cell) => String(cell ?? ''));
      const row = readCandleRow(time ?? '', open_ ?? '', high ?? '', low ?? '', close ?? '', volume ?? '');
      const where = `${kind.exchange} at ${time}`;
      if ('fault' in row) {
        counter.fault('malformed', `${where}: ${row.fault}`);
        return [];
      }
      // Still open, or from a clock ahead of ours; asked for again later. An exchange repeats what was asked for: no fault.
      if (row.timestampMs + INTERVAL_MS > clock.nowMs() || row.timestampMs < sinceMs) return [];
      const event = gate.admit(row, where);
      if (event !== undefined) sinceMs = row.timestampMs + INTERVAL_MS;
      return event ?? [];
    });
  return {
    intervalMs: INTERVAL_MS,
    waitsForWatchers: false,
    stats: () => counter.stats,
    async *batches(signal) {
      const exchange = await open(kind.exchange);
      try {
        for (let failures = 0; !signal.aborted; ) {
          try {
            const rows = await exchange.fetchCandles(kind.exchangeSymbol, sinceMs, CANDLES_MAX);
            failures = 0;
            const events = closedCandles(rows);
            if (events.length > 0) yield { events, progressPercent: 0 };
          } catch (thrown) {
            if (exchange.isFinal(thrown)) throw new FeedError(`${kind.exchange}: ${messageOf(thrown)}`);
            failures += 1;
            counter.fault('malformed', `${kind.exchange} did not answer: ${messageOf(thrown)}`);
          }
          await pause(clock, failures === 0 ? POLL_MS : backoffMs(failures, RETRY), signal);
        }
      } finally {
        await exchange.close();
      }
    },
  };
}
