import type { CandleEvent } from './market-event.ts';

/** What a simulated market is like. */
export interface SimulationSettings {
  /** Any integer; the same seed gives the same prices. */
  readonly seed: bigint;
  /** Decimal: open of candle 0. */
  readonly startPrice: string;
  readonly intervalMs: number;
  /** Mean candles between two pumps, and between two crashes; 0: none. */
  readonly pumpEvery: number;
  readonly crashEvery: number;
}

/** Standard deviation of a candle's return, and the share of the way home to the start price that each candle goes. */
const VOLATILITY = 0.0008;
const HOMING = 0.002;
/** A move takes so many candles; a pump gives back part of it over as many again, times four. */
const MOVE_CANDLES_MIN = 3;
const MOVE_CANDLES_MAX = 8;
const GIVE_BACK_TIMES = 4;
const MOVE_SHARE_MIN = 0.06;
const MOVE_SHARE_MAX = 0.14;
const GIVEN_BACK_SHARE = 0.7;
const VOLUME_MEAN = 100;
const SIGNIFICANT_DIGITS = 7;
const DECIMALS_MAX = 8;
/** Moves begin within a block of candles, and end within the next. */
const BLOCK_CANDLES_MIN = (MOVE_CANDLES_MAX * (1 + GIVE_BACK_TIMES)) / 2;

const PUMP = 1;
const CRASH = 2;
const NOISE = 3;

/**
 * Candle number `index` (from 0) of the simulated market, opening at `index` intervals after `startMs`. It depends on the
 * settings, the index and the close before alone, so that a market can go on from any candle that is known.
 * `previousClose` is undefined for candle 0. Prices are decimal text with as many decimals as the start price calls for.
 */
export function simulatedCandle(
  settings: SimulationSettings,
  startMs: number,
  index: number,
  previousClose: string | undefined,
): CandleEvent {
  const { seed, startPrice, intervalMs } = settings;
  const decimals = decimalsOf(startPrice);
  const openText = previousClose ?? Number(startPrice).toFixed(decimals);
  const open = Number(openText);
  const random = randomOf(seed, NOISE, index);
  const pump = moveAt(seed, PUMP, settings.pumpEvery, index);
  const crash = moveAt(seed, CRASH, settings.crashEvery, index);
  const drift = pump - crash + HOMING * Math.log(Number(startPrice) / open);
  const least = 10 ** -decimals;
  const close = Math.max(open * Math.exp(drift + VOLATILITY * gauss(random)), least);
  const closeText = close.toFixed(decimals);
  const reach = VOLATILITY * 0.7;
  const highText = (Math.max(open, Number(closeText)) * (1 + reach * random())).toFixed(decimals);
  const lowText = Math.max(Math.min(open, Number(closeText)) * (1 - reach * random()), least).toFixed(decimals);
  const stir = Math.abs(pump) + Math.abs(crash);
  const volumeText = (VOLUME_MEAN * Math.exp(0.4 * gauss(random)) * (1 + 400 * stir)).toFixed(4);
  const openTimeMs = startMs + index * intervalMs;
  // Rounding may push a border past the price that it borders.
  const high = Math.max(Number(highText), open, Number(closeText));
  const low = Math.min(Number(lowText), open, Number(closeText));
  return {
    kind: 'candle',
    timeMs: openTimeMs + intervalMs,
    openTimeMs,
    open: openText,
    high: high.toFixed(decimals),
    low: low.toFixed(decimals),
    close: closeText,
    volume: volumeText,
    numbers: { open, high, low, close: Number(closeText), volume: Number(volumeText) },
  };
}

/** Candles from `index` on, without end. */
export function* simulate(
  settings: SimulationSettings,
  startMs: number,
  index = 0,
  previousClose?: string,
): Generator<CandleEvent, never> {
  let close = previousClose;
  for (let at = index; ; at += 1) {
    const candle = simulatedCandle(settings, startMs, at, close);
    yield candle;
    close = candle.close;
  }
}

/** What a pump or crash adds to the logarithm of the price at a candle: one move begins somewhere in each block of `every`. */
function moveAt(seed: bigint, kind: number, every: number, index: number): number {
  if (every <= 0) return 0;
  const blockCandles = Math.max(every, BLOCK_CANDLES_MIN);
  const block = Math.floor(index / blockCandles);
  return moveOfBlock(seed, kind, blockCandles, block, index) + moveOfBlock(seed, kind, blockCandles, block - 1, index);
}

function moveOfBlock(seed: bigint, kind: number, blockCandles: number, block: number, index: number): number {
  if (block < 0) return 0;
  const random = randomOf(seed, kind, block);
  const start = Math.floor(blockCandles * block + random() * blockCandles);
  const candles = MOVE_CANDLES_MIN + Math.floor(random() * (MOVE_CANDLES_MAX - MOVE_CANDLES_MIN + 1));
  const size = Math.log(1 + MOVE_SHARE_MIN + random() * (MOVE_SHARE_MAX - MOVE_SHARE_MIN));
  const at = index - start;
  if (at < 0) return 0;
  if (at < candles) return size / candles;
  const backCandles = candles * GIVE_BACK_TIMES;
  return at < candles + backCandles ? (-size * GIVEN_BACK_SHARE) / backCandles : 0;
}

function decimalsOf(startPrice: string): number {
  const written = startPrice.split('.')[1]?.length ?? 0;
  const magnitude = Math.floor(Math.log10(Number(startPrice))) + 1;
  return Math.min(DECIMALS_MAX, Math.max(written, SIGNIFICANT_DIGITS - magnitude, 0));
}

/** Two uniforms make one standard normal (Box and Muller). */
function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Uniform numbers in [0, 1) from seed, purpose and place: splitmix-style mixing of 32-bit words, the same everywhere. */
function randomOf(seed: bigint, kind: number, place: number): () => number {
  let state = mix(Number(BigInt.asUintN(32, seed)) ^ mix(Number(BigInt.asUintN(32, seed >> 32n))));
  state = mix(state ^ mix(kind));
  state = mix(state ^ mix(place >>> 0) ^ mix(Math.floor(place / 4_294_967_296) + 0x51ed));
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 4_294_967_296;
  };
}

function mix(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
