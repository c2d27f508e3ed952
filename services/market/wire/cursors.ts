import type { IndicatorInterest, SymbolCursor } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { type IndicatorId, parseIndicatorId, UnknownIndicatorError } from '../indicators/indicator-id.ts';
import type { FieldChecks } from './field-checks.ts';
import { millisecondsOfTimestamp } from './time.ts';

/** One symbol of a watch. */
export interface SymbolWatch {
  readonly symbol: string;
  readonly cursor: { readonly sequence: number; readonly afterTimeMs: number | undefined };
  readonly ids: readonly IndicatorId[];
}

const SYMBOLS_MAX = 1_000;
const IDS_MAX = 500;

/** Reads the symbols of a watch of prices. */
export function parseCursors(cursors: readonly SymbolCursor[], checks: FieldChecks): SymbolWatch[] {
  checkCount('symbols', cursors.length, checks);
  const watches = cursors.slice(0, SYMBOLS_MAX).map((cursor, at) => parseCursor(cursor, `symbols[${at}]`, [], checks));
  refuseRepeated(watches, 'symbols', checks);
  return watches;
}

/** Reads the symbols and indicators of a watch of indicators. */
export function parseInterests(interests: readonly IndicatorInterest[], checks: FieldChecks): SymbolWatch[] {
  checkCount('interests', interests.length, checks);
  const watches = interests.slice(0, SYMBOLS_MAX).map(({ cursor, indicatorIds }, at) => {
    const field = `interests[${at}]`;
    if (indicatorIds.length === 0 || indicatorIds.length > IDS_MAX) {
      checks.add(`${field}.indicator_ids`, `must have 1 to ${IDS_MAX} entries, has ${indicatorIds.length}`);
    }
    const ids = indicatorIds.slice(0, IDS_MAX).flatMap((id, place) => {
      try {
        return [parseIndicatorId(id)];
      } catch (thrown) {
        if (!(thrown instanceof UnknownIndicatorError)) throw thrown;
        checks.add(`${field}.indicator_ids[${place}]`, thrown.message);
        return [];
      }
    });
    return parseCursor(cursor, `${field}.cursor`, ids, checks);
  });
  refuseRepeated(watches, 'interests', checks);
  return watches;
}

function parseCursor(
  cursor: SymbolCursor | undefined,
  field: string,
  ids: readonly IndicatorId[],
  checks: FieldChecks,
): SymbolWatch {
  if (cursor === undefined) {
    checks.add(field, 'is required');
    return { symbol: '', cursor: { sequence: 0, afterTimeMs: undefined }, ids };
  }
  const { sequence, afterTime } = cursor;
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) checks.add(`${field}.sequence`, 'is no sequence of an event');
  if (sequence > 0n && afterTime !== undefined) {
    checks.add(`${field}.after_time`, 'contradicts sequence; give one of them');
  }
  const afterTimeMs = afterTime === undefined ? undefined : millisecondsOfTimestamp(afterTime);
  if (Number.isNaN(afterTimeMs)) checks.add(`${field}.after_time`, 'is not a valid time since 1970');
  return {
    symbol: checks.symbol(`${field}.symbol`, cursor.symbol),
    cursor: { sequence: Math.max(0, Number(sequence)), afterTimeMs },
    ids,
  };
}

function checkCount(field: string, count: number, checks: FieldChecks): void {
  if (count === 0 || count > SYMBOLS_MAX) checks.add(field, `must have 1 to ${SYMBOLS_MAX} entries, has ${count}`);
}

function refuseRepeated(watches: readonly SymbolWatch[], field: string, checks: FieldChecks): void {
  const seen = new Set<string>();
  for (const { symbol } of watches) {
    if (symbol !== '' && seen.has(symbol)) checks.add(field, `name ${symbol} more than once`);
    seen.add(symbol);
  }
}
