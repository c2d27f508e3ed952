// The market's pure parts, for back-tests in other processes. Nothing here reads the network, a database or the environment.

export type { CandleEvent, CandleNumbers, MarketEvent, TradeEvent, TradeSide } from './domain/market-event.ts';
export { priceNumber, priceText } from './domain/market-event.ts';
export type { SeriesStats } from './domain/series-stats.ts';
export { simulate, simulatedCandle, type SimulationSettings } from './domain/simulation.ts';
export { CATALOGUE, idPattern } from './indicators/catalogue.ts';
export type { Family, Parameter } from './indicators/family.ts';
export { IndicatorEngine } from './indicators/indicator-engine.ts';
export {
  type IndicatorId,
  normaliseIndicatorId,
  parseIndicatorId,
  UnknownIndicatorError,
} from './indicators/indicator-id.ts';
export { readSeries, type Series, type SeriesBytes, SeriesError } from './series/read-series.ts';
