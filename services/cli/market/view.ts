import colors from 'picocolors';
import {
  Freshness,
  type Indicator,
  type Source,
  SourceState,
  type SourceStats,
} from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { Dataset, IndicatorCheck } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { formatDuration } from '../terminal/duration.ts';
import type { Output } from '../terminal/output.ts';
import { formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';

type Paint = (text: string) => string;

const STATE_COLORS: Readonly<Record<SourceState, Paint>> = {
  [SourceState.UNSPECIFIED]: colors.dim,
  [SourceState.RUNNING]: colors.green,
  [SourceState.COMPLETED]: colors.cyan,
  [SourceState.STOPPED]: colors.dim,
  [SourceState.FAILED]: colors.red,
};

const FRESHNESS_COLORS: Readonly<Record<Freshness, Paint>> = {
  [Freshness.UNSPECIFIED]: colors.dim,
  [Freshness.FRESH]: colors.green,
  [Freshness.STALE]: colors.yellow,
  [Freshness.BLIND]: colors.red,
};

export const SOURCE_COLUMNS = ['SYMBOL', 'SOURCE', 'STATE', 'PRICES', 'EVENTS', 'LAST PRICE', 'AT', 'LEFT OUT', 'ID'];

export function sourceRow(source: Source): string[] {
  const { stats } = source;
  const state = (STATE_COLORS[source.state] ?? colors.dim)(valueName(SourceState, source.state).toLowerCase());
  const because = source.state === SourceState.FAILED ? `${state}: ${source.reason}` : state;
  return [
    source.symbol,
    kindText(source),
    because,
    stats === undefined ? '' : freshnessText(stats.freshness),
    String(stats?.events ?? 0n),
    stats?.lastPrice ?? '',
    formatTime(stats?.lastEventTime) ?? '',
    faultText(stats),
    source.id,
  ];
}

export function freshnessText(freshness: Freshness): string {
  return (FRESHNESS_COLORS[freshness] ?? colors.dim)(valueName(Freshness, freshness).toLowerCase());
}

function kindText({ kind, stats, state }: Source): string {
  switch (kind.case) {
    case 'replay': {
      const pace = kind.value.speed === 0 ? 'full speed' : `×${kind.value.speed}`;
      const progress = state === SourceState.COMPLETED ? '' : `, ${(stats?.progressPercent ?? 0).toFixed(0)} %`;
      return `replay of ${kind.value.dataset}, ${pace}${progress}`;
    }
    case 'simulation':
      return `simulation, seed ${kind.value.seed}, ×${kind.value.speed}, every ${formatDuration(kind.value.interval)}`;
    case 'exchange':
      return `${kind.value.exchange} ${kind.value.exchangeSymbol}`;
    case undefined:
      return '';
    default:
      return kind satisfies never;
  }
}

/** What was left out of a series, in words; empty when nothing was. */
function faultText(stats: SourceStats | undefined): string {
  if (stats === undefined) return '';
  const counts: readonly (readonly [bigint, string])[] = [
    [stats.malformed, 'malformed'],
    [stats.outOfOrder, 'out of order'],
    [stats.duplicates, 'duplicate'],
    [stats.gaps, 'missing'],
  ];
  return counts.flatMap(([count, what]) => (count === 0n ? [] : [`${count} ${what}`])).join(', ');
}

export const DATASET_COLUMNS = ['NAME', 'FORM', 'ROWS', 'FROM', 'TO', 'INTERVAL', 'LEFT OUT'];

export function datasetRow(dataset: Dataset): string[] {
  return [
    dataset.name,
    dataset.form,
    String(dataset.rows),
    formatTime(dataset.firstTime) ?? '',
    formatTime(dataset.lastTime) ?? '',
    formatDuration(dataset.interval) ?? '',
    faultText(dataset.stats),
  ];
}

export function showDataset(out: Output, dataset: Dataset): void {
  const [name, form, rows, from, to, interval, faults] = datasetRow(dataset);
  out.details([
    ['dataset', name],
    ['form', form],
    ['rows', rows],
    ['from', from],
    ['to', to],
    ['interval', interval],
    ['left out', faults],
    ...(dataset.stats?.recentFaults ?? []).map((fault, at) => [at === 0 ? 'such as' : '', fault] as const),
  ]);
}

export const INDICATOR_COLUMNS = ['ID', 'UNIT', 'WARM-UP', 'WHAT IT SAYS', 'SUCH AS'];

export function indicatorRow(indicator: Indicator): string[] {
  const { idPattern, unit, warmUp, description, examples } = indicator;
  return [idPattern, unit, String(warmUp), description, examples[0] ?? ''];
}

export const CHECK_COLUMNS = ['ASKED', 'ID', 'WARM-UP', ''];

export function checkRow({ id, normalisedId, warmUp, fault }: IndicatorCheck): string[] {
  return [id, normalisedId, fault === '' ? String(warmUp) : '', colors.red(fault)];
}

/** Everything about a family of indicators, for people. */
export function showIndicator(out: Output, indicator: Indicator): void {
  out.say('');
  out.details([
    ['id', indicator.idPattern],
    ['says', indicator.description],
    ['formula', indicator.formula],
    ['unit', indicator.unit],
    ...indicator.parameters.map(({ name, defaultValue, minValue, maxValue, description }) => {
      return [name, `${description}; ${minValue} to ${maxValue}, ${defaultValue} when left out`] as const;
    }),
    ['such as', indicator.examples.join(', ')],
  ]);
}

/** How old prices are, for people. */
export function ageText(time: Parameters<typeof formatTime>[0]): string {
  return time === undefined ? 'no prices yet' : `newest price of ${formatTime(time)}`;
}
