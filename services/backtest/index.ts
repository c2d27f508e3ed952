/** Back-tests without servers, for the command line: strategies over a series on a simulated clock. */
export {
  type BacktestEvent,
  type BacktestOptions,
  type BacktestSummary,
  type Participant,
  runBacktest,
} from './engine/backtest.ts';
export type { Costs } from './engine/backtest-venue.ts';
export type { Point } from './engine/thinned-series.ts';
export type { Trade, TradeExit } from './engine/trade.ts';
export { readParticipant, type Reading } from './engine/read-participant.ts';
export { readSeries, type Series, SeriesError } from '../market/index.ts';
