import { Decimal } from 'decimal.js';
import type { CandleNumbers, TradeEvent } from './market-event.ts';

/** A candle as a source gives it; its interval is known only to the series. */
export interface CandleRow {
  readonly timestampMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly numbers: CandleNumbers;
}

/** What is wrong with a row, in words. */
export interface RowFault {
  readonly fault: string;
}

/** 1973 to 9999: what is below was written in seconds. */
const TIMESTAMP_MS_MIN = 100_000_000_000;
const TIMESTAMP_MS_MAX = 253_402_300_799_999;
const WHOLE_FORM = /^\d{1,15}$/;
const DECIMAL_FORM = /^\d+(\.\d+)?$/;
/** As some sources write tiny amounts. */
const EXPONENT_FORM = /^\d+(\.\d+)?[eE][+-]?\d{1,3}$/;
const DECIMAL_CHARS_MAX = 40;

/** Reads a candle's cells, all as text. */
export function readCandleRow(
  timestamp: string,
  ...cells: [string, string, string, string, string]
): CandleRow | RowFault {
  const timestampMs = timestampOf(timestamp);
  if (typeof timestampMs !== 'number') return timestampMs;
  const [open, high, low, close, volume] = [
    plain(cells[0]),
    plain(cells[1]),
    plain(cells[2]),
    plain(cells[3]),
    plainVolume(cells[4]),
  ];
  const numbers = {
    open: decimal(open),
    high: decimal(high),
    low: decimal(low),
    close: decimal(close),
    volume: decimal(volume),
  };
  const fault =
    priceFault('open', open, numbers.open) ??
    priceFault('high', high, numbers.high) ??
    priceFault('low', low, numbers.low) ??
    priceFault('close', close, numbers.close) ??
    (Number.isNaN(numbers.volume) ? `volume ${shown(volume)} is not a number of 0 or more` : rangeFault(numbers));
  if (fault !== undefined) return { fault };
  return { timestampMs, open, high, low, close, volume, numbers };
}

/** Reads a trade's cells, all as text; `side` may be empty. */
export function readTradeRow(
  timestamp: string,
  priceCell: string,
  amountCell: string,
  side: string,
): TradeEvent | RowFault {
  const timeMs = timestampOf(timestamp);
  if (typeof timeMs !== 'number') return timeMs;
  const [price, amount] = [plain(priceCell), plain(amountCell)];
  const priceNumber = decimal(price);
  const amountNumber = decimal(amount);
  const fault = priceFault('price', price, priceNumber) ?? priceFault('amount', amount, amountNumber);
  if (fault !== undefined) return { fault };
  const lower = side.toLowerCase();
  if (lower !== 'buy' && lower !== 'sell' && lower !== '') return { fault: `side ${shown(side)} is not buy or sell` };
  return { kind: 'trade', timeMs, price, amount, side: lower, priceNumber, amountNumber };
}

function timestampOf(text: string): number | RowFault {
  const ms = WHOLE_FORM.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(ms)) return { fault: `timestamp_ms ${shown(text)} is not a whole number of milliseconds` };
  if (ms >= TIMESTAMP_MS_MIN && ms <= TIMESTAMP_MS_MAX) return ms;
  return { fault: `timestamp_ms ${shown(text)} is not within 1973 to 9999; it counts milliseconds` };
}

/**
 * A decimal without its exponent: prices go along with orders, and nobody behind this takes one. What is too long then, and
 * other text, stays as it is.
 */
function plain(text: string): string {
  if (text.length > DECIMAL_CHARS_MAX || !EXPONENT_FORM.test(text)) return text;
  const written = new Decimal(text).toFixed();
  return written.length > DECIMAL_CHARS_MAX ? text : written;
}

/** As `plain`; places beyond what is kept are left out, for no order rests on them and a candle without them is still one. */
function plainVolume(text: string): string {
  const written = plain(text);
  if (written.length > DECIMAL_CHARS_MAX || !EXPONENT_FORM.test(written)) return written;
  return new Decimal(written).toDecimalPlaces(DECIMAL_CHARS_MAX - 2).toFixed();
}

/** NaN for anything but a finite, unsigned decimal. */
function decimal(text: string): number {
  if (text.length > DECIMAL_CHARS_MAX || !DECIMAL_FORM.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

function priceFault(name: string, text: string, value: number): string | undefined {
  return value > 0 ? undefined : `${name} ${shown(text)} is not a number above 0`;
}

function rangeFault({ open, high, low, close }: CandleNumbers): string | undefined {
  if (high < low) return `high ${high} is below low ${low}`;
  if (open < low || open > high) return `open ${open} is outside of low ${low} to high ${high}`;
  if (close < low || close > high) return `close ${close} is outside of low ${low} to high ${high}`;
  return undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 24 ? text : `${text.slice(0, 24)}…`);
}
