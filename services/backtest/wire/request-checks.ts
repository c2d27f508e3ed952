import { Decimal } from 'decimal.js';
import type { RunBacktestRequest } from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { type FieldViolation, invalidFields } from '../../platform/errors.ts';

const STRATEGIES_MAX = 100;
const SYMBOL_PATTERN = /^[A-Z0-9][A-Z0-9._:/-]{0,63}$/i;
/** No control, format, private or unassigned characters, no lone surrogates, no line separators. */
const TEXT_PATTERN = /^[^\p{C}\p{Zl}\p{Zp}]{0,128}$/u;
const DECIMAL_PATTERN = /^\d{1,30}(\.\d{1,30})?$/;
const COSTS = [
  ['fee_percent', 'feePercent'],
  ['spread_percent', 'spreadPercent'],
  ['slippage_percent', 'slippagePercent'],
] as const;

/** What a request says beside its strategies and data. */
export interface CheckedRequest {
  readonly symbol: string;
  readonly initialBalance: string;
  readonly sessionId: string;
}

/** @throws StatusError INVALID_ARGUMENT naming every field that cannot be used. */
export function checkRequest(request: RunBacktestRequest): CheckedRequest {
  const faults: FieldViolation[] = [];
  const { strategies, symbol, initialBalance, sessionId, data } = request;
  if (strategies.length === 0) faults.push({ field: 'strategies', description: 'at least one is needed' });
  if (strategies.length > STRATEGIES_MAX) {
    faults.push({ field: 'strategies', description: `at most ${STRATEGIES_MAX}, and ${strategies.length} came` });
  }
  if (data.case === undefined) {
    faults.push({ field: 'data', description: 'set dataset to the name of one, or csv to the content of a file' });
  } else if (data.value.length === 0) {
    faults.push({ field: data.case, description: 'is empty' });
  }
  if (!SYMBOL_PATTERN.test(symbol)) {
    faults.push({
      field: 'symbol',
      description: 'what the data are prices of, such as BTC_USDT: 1 to 64 letters, digits, _ : . / -',
    });
  }
  if (!DECIMAL_PATTERN.test(initialBalance) || new Decimal(initialBalance).lte(0)) {
    faults.push({ field: 'initial_balance', description: 'must be a decimal above 0, such as "10000"' });
  }
  for (const [field, name] of COSTS) {
    const text = request[name];
    if (text !== '' && (!DECIMAL_PATTERN.test(text) || new Decimal(text).gte(100))) {
      faults.push({ field, description: 'must be a decimal from 0 to below 100, such as "0.1", or empty' });
    }
  }
  const text = (field: string, value: string): void => {
    if (!TEXT_PATTERN.test(value)) faults.push({ field, description: 'at most 128 printable characters' });
  };
  text('session_id', sessionId);
  if (data.case === 'dataset') text('dataset', data.value);
  for (const [at, { source, revision, instanceId }] of strategies.slice(0, STRATEGIES_MAX).entries()) {
    const field = `strategies[${at}]`;
    text(`${field}.instance_id`, instanceId);
    if (source.case === undefined)
      faults.push({ field: `${field}.source`, description: 'set definition, json or strategy' });
    if (source.case === 'strategy') {
      text(`${field}.strategy`, source.value);
      if (source.value === '') faults.push({ field: `${field}.strategy`, description: 'is empty: a name or id' });
    } else if (revision !== 0n) {
      faults.push({ field: `${field}.revision`, description: 'must be left out: only a stored strategy has one' });
    }
    if (revision < 0n || revision > BigInt(Number.MAX_SAFE_INTEGER)) {
      faults.push({ field: `${field}.revision`, description: `must be between 0 and ${Number.MAX_SAFE_INTEGER}` });
    }
  }
  if (faults.length > 0) throw invalidFields(faults);
  return { symbol: symbol.toUpperCase(), initialBalance, sessionId };
}
