import { type MadeCandle, MINUTE_MS, SERIES_START_MS, seriesCsv, type TradingStack } from './trading.ts';

/** Twenty candles a second: faster than any answer, slower than nothing. */
const SPEED = 1_200;
/** Of what goes on until something else is played: longer than any test waits. */
const ENDLESS = 4_000;

/** So many candles at one price. */
export function flat(close: number, count: number = ENDLESS): MadeCandle[] {
  return Array.from({ length: count }, () => ({ close }));
}

/** A symbol whose candles a test plays piece by piece, each later in market time than the one before. */
export class Tape {
  readonly symbol: string;
  readonly #trading: TradingStack;
  #minute = 0;
  #pieces = 0;

  private constructor(trading: TradingStack, symbol: string) {
    this.#trading = trading;
    this.symbol = symbol;
  }

  /** Begins with a price that stays. */
  static async start(trading: TradingStack, symbol: string, close: number): Promise<Tape> {
    const tape = new Tape(trading, symbol);
    await tape.play(flat(close));
    return tape;
  }

  /** Plays these from now on; after the last one nothing comes. Returns when the first one closes, in market time. */
  async play(candles: readonly MadeCandle[]): Promise<number> {
    const startMs = SERIES_START_MS + this.#minute * MINUTE_MS;
    const dataset = `tape-${this.symbol}-${this.#pieces}`;
    this.#minute += candles.length;
    this.#pieces += 1;
    const { markets } = this.#trading;
    await markets.importDataset({ name: dataset, content: seriesCsv(candles, startMs) });
    const kind = { case: 'replay', value: { dataset, speed: SPEED } } as const;
    await markets.startSource({ symbol: this.symbol, kind, replace: true });
    return startMs + MINUTE_MS;
  }
}
