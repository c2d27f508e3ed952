import { type DescField, type DescMessage, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { seriesCsv, strategyJson, when } from '../harness/trading.ts';
import { OMITTED, type SampleOf } from './sample-request.ts';

/** What exists on the platform under test, so that samples can name it. */
export interface TradingWorld {
  readonly executor: string;
  readonly strategy: string;
  /** One that may be deleted. */
  readonly spareStrategy: string;
  /** The account's newest. */
  readonly revision: bigint;
  readonly dataset: string;
  /** Of the session's one instance. */
  readonly symbol: string;
  /** Of a source that may be stopped. */
  readonly fedSymbol: string;
  readonly sessionId: string;
  readonly haltId: string;
}

const CSV = Buffer.from(seriesCsv([{ close: 100 }, { close: 101 }, { close: 102 }])).toString('base64');
let made = 0;

/** A name that no sample had before. */
function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${made}`;
}

/** Values for the fields whose meaning the descriptor does not tell; the key is "Message.field" or "field". */
export function tradingSampleOf(world: TradingWorld): SampleOf {
  const values: Readonly<Record<string, () => JsonValue>> = {
    executor: () => world.executor,
    strategy: () => world.strategy,
    dataset: () => world.dataset,
    session_id: () => world.sessionId,
    id: () => world.sessionId,
    symbol: () => world.symbol,
    symbols: () => [world.symbol],
    wait: () => '0.1s',
    request_id: () => unique('request'),
    page_token: () => OMITTED,
    cursor: () => OMITTED,
    json: () => strategyJson(unique('made'), { s1_signal: when('price', '>', 1) }),
    'StrategyDefinition.strategy_name': () => unique('made'),
    'Condition.id': () => unique('condition'),
    'Condition.indicator_id': () => 'price',
    'UpdateStrategyRequest.revision': () => String(world.revision),
    'DeleteStrategyRequest.strategy': () => world.spareStrategy,
    'ListIndicatorsRequest.ids': () => ['price'],
    'ImportDatasetRequest.name': () => unique('made'),
    'ImportDatasetRequest.content': () => CSV,
    'StartSourceRequest.symbol': () => unique('MADE'),
    'StopSourceRequest.source': () => world.fedSymbol,
    'SimulationSource.start_price': () => '100',
    'ExchangeSource.exchange': () => 'kraken',
    'ExchangeSource.exchange_symbol': () => 'BTC/USDT',
    'WatchPricesRequest.symbols': () => [{ symbol: world.symbol }],
    // Either of a sequence and a time.
    'SymbolCursor.sequence': () => OMITTED,
    'IndicatorInterest.cursor': () => ({ symbol: world.symbol }),
    'IndicatorInterest.indicator_ids': () => ['price'],
    // An instance is named by its id, or by all of the others.
    'ExplainInstanceRequest.instance_id': () => OMITTED,
    'RunBacktestRequest.csv': () => CSV,
    'RunBacktestRequest.initial_balance': () => '10000',
    'BacktestStrategy.revision': () => OMITTED,
    // Either of an executor and labels; only a back-test has a dataset.
    'StartSessionRequest.executor_labels': () => OMITTED,
    'StartSessionRequest.dataset': () => OMITTED,
    'StartSessionRequest.initial_balance': () => '10000',
    'StrategySelection.revision': () => OMITTED,
    // The scope is the account.
    'StopAllRequest.target': () => OMITTED,
    'GetHaltRequest.id': () => world.haltId,
  };
  return (parent: DescMessage, field: DescField): JsonValue | undefined => {
    const value = values[`${parent.name}.${field.name}`] ?? values[field.name];
    if (value !== undefined) return value();
    return field.scalar === ScalarType.STRING && field.name.endsWith('_percent') ? '0.1' : undefined;
  };
}
