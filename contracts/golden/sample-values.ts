import { type DescField, type DescMessage, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { OMITTED } from '../../test/conformance/sample-request.ts';

/** What stands in every sample: the same bytes come out of every run. */
export const SAMPLE = {
  nowMs: Date.UTC(2024, 0, 1),
  accountId: 'main',
  executorId: '00000000-0000-4000-8000-0000000000e1',
  executorName: 'vps-1',
  journalId: 'journal-1',
  host: 'vps-1.example',
  keyId: 'k1',
  epoch: 7,
  strategyRevision: '3',
} as const;

/** Facts of the machine that it runs on, with which an agent's hello says them: those of this one are nobody's. */
export const SAMPLE_MACHINE = {
  journalId: SAMPLE.journalId,
  host: SAMPLE.host,
  platform: 'linux-x64 node-24',
} as const;

/** An id of a command that reads as its number. */
export function sampleId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

const DECIMALS = [
  'price',
  'quantity',
  'leverage',
  'balance',
  'equity',
  'pct',
  'fee',
  'pnl',
  'open',
  'high',
  'low',
  'close',
];
const VALUES: Readonly<Record<string, JsonValue>> = {
  executor: SAMPLE.executorName,
  symbol: 'BTC_USDT',
  symbols: ['BTC_USDT'],
  strategy_revision: SAMPLE.strategyRevision,
  'IssueCommandRequest.lane': OMITTED,
  'IssueCommandRequest.not_after': OMITTED,
  'DeadlineSpans.progress_within': OMITTED,
  'Preconditions.session_state': 'SESSION_STATE_ACTIVE',
  'PriceBand.min_price': '1',
  'PriceBand.max_price': '2.5',
  'SymbolInterest.symbol': 'BTC_USDT',
  'PriceInterest.symbols': [{ symbol: 'BTC_USDT', fromTime: '2024-01-01T00:00:00Z' }],
};

/** Another value in every field, so that no two can be mistaken for each other. */
export function sampleOf(parent: DescMessage, field: DescField): JsonValue | undefined {
  const value = VALUES[`${parent.name}.${field.name}`] ?? VALUES[field.name];
  if (value !== undefined) return value;
  if (field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.Duration') {
    return `${20 + field.number}s`;
  }
  if (field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.Timestamp') {
    return new Date(SAMPLE.nowMs + 1_000 * field.number).toISOString();
  }
  if (field.fieldKind !== 'scalar' || field.scalar !== ScalarType.STRING) return undefined;
  if (DECIMALS.some((ending) => field.name.endsWith(ending))) return `1.${field.number}`;
  return `${field.name.replace(/_id$/, '').replaceAll('_', '-')}-1`;
}
