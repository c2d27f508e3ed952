import type {
  ExchangeSource,
  ReplaySource,
  SimulationSource,
} from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { StartSourceRequest } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { KEPT_MAX } from '../domain/published-event.ts';
import type { SourceKind } from '../domain/source.ts';
import type { FieldChecks } from './field-checks.ts';
import { millisecondsOfDuration } from './time.ts';

export const DATASET_NAME_PATTERN = /^[A-Za-z0-9._-]{1,100}$/;
export const DATASET_NAME_RULE = "must be 1 to 100 of a–z, A–Z, 0–9, '-', '_', '.'";

const SPEED_MAX = 1_000_000;
const INTERVAL_MS_DEFAULT = 60_000;
const INTERVAL_MS_MIN = 100;
const INTERVAL_MS_MAX = 86_400_000;
const EVERY_MAX = 1_000_000;
const PRICE_FORM = /^\d{1,12}(\.\d{1,8})?$/;
const EXCHANGE_FORM = /^[a-z0-9_]{1,40}$/;
const EXCHANGE_SYMBOL_CHARS_MAX = 60;

/** What shall feed the symbol; undefined when something was refused. */
export function parseKind(kind: StartSourceRequest['kind'], checks: FieldChecks): SourceKind | undefined {
  switch (kind.case) {
    case 'replay':
      return parseReplay(kind.value, checks);
    case 'simulation':
      return parseSimulation(kind.value, checks);
    case 'exchange':
      return parseExchange(kind.value, checks);
    case undefined:
      checks.add('kind', 'is required: one of replay, simulation, exchange');
      return undefined;
    default:
      return kind satisfies never;
  }
}

function parseReplay({ dataset, speed }: ReplaySource, checks: FieldChecks): SourceKind {
  if (dataset === '') checks.add('replay.dataset', 'is required: the name of an imported dataset');
  else if (!DATASET_NAME_PATTERN.test(dataset)) checks.add('replay.dataset', DATASET_NAME_RULE);
  checks.number('replay.speed', speed, 0, SPEED_MAX);
  return { kind: 'replay', dataset, speed };
}

function parseSimulation(request: SimulationSource, checks: FieldChecks): SourceKind {
  const { seed, startPrice, interval, speed, pumpEvery, crashEvery, historyCandles } = request;
  if (!PRICE_FORM.test(startPrice) || Number(startPrice) <= 0) {
    checks.add(
      'simulation.start_price',
      'must be a decimal above 0 with at most 12 digits before and 8 after the point',
    );
  }
  const intervalMs = interval === undefined ? INTERVAL_MS_DEFAULT : millisecondsOfDuration(interval);
  if (!(intervalMs >= INTERVAL_MS_MIN && intervalMs <= INTERVAL_MS_MAX)) {
    checks.add('simulation.interval', `must be between ${INTERVAL_MS_MIN / 1_000}s and ${INTERVAL_MS_MAX / 1_000}s`);
  }
  checks.number('simulation.speed', speed, 0, SPEED_MAX);
  checks.number('simulation.pump_every', pumpEvery, 0, EVERY_MAX);
  checks.number('simulation.crash_every', crashEvery, 0, EVERY_MAX);
  checks.number('simulation.history_candles', historyCandles, 0, KEPT_MAX);
  return {
    kind: 'simulation',
    seed: String(seed),
    startPrice,
    intervalMs,
    speed: speed === 0 ? 1 : speed,
    pumpEvery,
    crashEvery,
    historyCandles,
  };
}

function parseExchange({ exchange, exchangeSymbol }: ExchangeSource, checks: FieldChecks): SourceKind {
  if (!EXCHANGE_FORM.test(exchange)) checks.add('exchange.exchange', 'must be the id of an exchange, such as kraken');
  if (
    exchangeSymbol === '' ||
    exchangeSymbol.length > EXCHANGE_SYMBOL_CHARS_MAX ||
    /[^\x21-\x7e]/.test(exchangeSymbol)
  ) {
    checks.add(
      'exchange.exchange_symbol',
      `must be 1 to ${EXCHANGE_SYMBOL_CHARS_MAX} visible characters, such as BTC/USDT`,
    );
  }
  return { kind: 'exchange', exchange, exchangeSymbol };
}
