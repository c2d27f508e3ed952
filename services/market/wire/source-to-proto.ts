import { create } from '@bufbuild/protobuf';
import {
  ExchangeSourceSchema,
  ReplaySourceSchema,
  SimulationSourceSchema,
  type Source as SourceMessage,
  SourceSchema,
  SourceState,
  type SourceStats,
  SourceStatsSchema,
} from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  type Dataset as DatasetMessage,
  DatasetSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { type FreshnessLimits, freshnessAt, thresholdsFor } from '../domain/freshness.ts';
import type { Dataset } from '../domain/market-store.ts';
import type { SeriesStats } from '../domain/series-stats.ts';
import { type Source, type SourceKind, type SourceStateName, speedOf } from '../domain/source.ts';
import { freshnessToProto } from './event-to-proto.ts';
import { durationOf, timestampOf } from './time.ts';

const STATES: Readonly<Record<SourceStateName, SourceState>> = {
  RUNNING: SourceState.RUNNING,
  COMPLETED: SourceState.COMPLETED,
  STOPPED: SourceState.STOPPED,
  FAILED: SourceState.FAILED,
};

/** `nowMs`: wall time, for the freshness. */
export function sourceToProto(source: Source, limits: FreshnessLimits, nowMs: number): SourceMessage {
  const { counts } = source;
  const thresholds = thresholdsFor(limits, counts.intervalMs, speedOf(source.kind));
  const ageMs = counts.lastArrivalMs === undefined ? undefined : nowMs - counts.lastArrivalMs;
  return create(SourceSchema, {
    id: source.id,
    symbol: source.symbol,
    kind: kindToProto(source.kind),
    state: STATES[source.state],
    reason: source.reason,
    createTime: timestampOf(source.createMs),
    stats: {
      ...statsToProto(counts),
      ...(counts.lastTimeMs === undefined ? {} : { lastEventTime: timestampOf(counts.lastTimeMs) }),
      lastPrice: counts.lastPrice,
      freshness: freshnessToProto(freshnessAt(ageMs, thresholds)),
      progressPercent: counts.progressPercent,
    },
  });
}

export function datasetToProto(dataset: Dataset): DatasetMessage {
  return create(DatasetSchema, {
    name: dataset.name,
    form: dataset.form,
    rows: BigInt(dataset.rows),
    stats: {
      ...statsToProto(dataset.stats),
      lastEventTime: timestampOf(dataset.lastTimeMs),
      lastPrice: dataset.lastPrice,
      progressPercent: 100,
    },
    firstTime: timestampOf(dataset.firstTimeMs),
    lastTime: timestampOf(dataset.lastTimeMs),
    ...(dataset.intervalMs === undefined ? {} : { interval: durationOf(dataset.intervalMs) }),
    contentDigest: dataset.contentDigest,
  });
}

function statsToProto(stats: SeriesStats): SourceStats {
  return create(SourceStatsSchema, {
    events: BigInt(stats.events),
    gaps: BigInt(stats.gaps),
    duplicates: BigInt(stats.duplicates),
    outOfOrder: BigInt(stats.outOfOrder),
    malformed: BigInt(stats.malformed),
    recentFaults: [...stats.recentFaults],
  });
}

function kindToProto(kind: SourceKind): SourceMessage['kind'] {
  switch (kind.kind) {
    case 'replay':
      return { case: 'replay', value: create(ReplaySourceSchema, { dataset: kind.dataset, speed: kind.speed }) };
    case 'simulation':
      return {
        case: 'simulation',
        value: create(SimulationSourceSchema, {
          seed: BigInt(kind.seed),
          startPrice: kind.startPrice,
          interval: durationOf(kind.intervalMs),
          speed: kind.speed,
          pumpEvery: kind.pumpEvery,
          crashEvery: kind.crashEvery,
          historyCandles: kind.historyCandles,
        }),
      };
    case 'exchange':
      return {
        case: 'exchange',
        value: create(ExchangeSourceSchema, { exchange: kind.exchange, exchangeSymbol: kind.exchangeSymbol }),
      };
    default:
      return kind satisfies never;
  }
}
