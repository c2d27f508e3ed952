import { describe, expect, test } from 'vitest';
import type { CommandFacts } from './command-facts.ts';
import { checkLimits, type LocalLimits } from './local-limits.ts';

const command = (over: Partial<CommandFacts> = {}): CommandFacts => ({
  kind: 'open_position',
  sessionId: 's',
  strategyId: 'x',
  symbol: 'BTC',
  symbols: [],
  quantity: '2',
  referencePrice: '100',
  ...over,
});

function brokenLimit(limits: LocalLimits, over: Partial<CommandFacts> = {}, venuePrice?: string, open: string[] = []) {
  const positions = open.map((symbol) => ({ sessionId: 's', strategyId: 'x', symbol }));
  const refusal = checkLimits(limits, command(over), { venuePrice, positions });
  return refusal?.metadata['limit'] ?? refusal?.reason;
}

describe('local limits', () => {
  test('without any, everything may start', () => {
    expect(brokenLimit({})).toBeUndefined();
  });

  test.each<[string, LocalLimits, Partial<CommandFacts>, string | undefined, string | undefined]>([
    ['kind not allowed', { kinds: ['ping'] }, {}, undefined, 'kinds'],
    ['kind allowed', { kinds: ['open_position'] }, {}, undefined, undefined],
    ['symbol not allowed', { symbols: ['ETH'] }, {}, undefined, 'symbols'],
    [
      'session on a symbol not allowed',
      { symbols: ['ETH'] },
      { kind: 'start_session', symbols: ['ETH', 'BTC'] },
      undefined,
      'symbols',
    ],
    ['session that names none', { symbols: ['ETH'] }, { kind: 'start_session' }, undefined, undefined],
    ['exit on a symbol not allowed any more', { symbols: ['ETH'] }, { kind: 'close_position' }, undefined, undefined],
    ['quantity at the limit', { maxQuantity: '2' }, {}, undefined, undefined],
    ['quantity above', { maxQuantity: '1.99' }, {}, undefined, 'max_quantity'],
    ['no number', { maxQuantity: '2' }, { quantity: '2 coins' }, undefined, 'INVALID_FIELD'],
    ['notional at the limit', { maxNotional: '200' }, {}, undefined, undefined],
    ['notional above', { maxNotional: '199' }, {}, undefined, 'max_notional'],
    ['a low reference price widens nothing', { maxNotional: '300' }, { referencePrice: '1' }, '200', 'max_notional'],
    ['no price to be had', { maxNotional: '300' }, { referencePrice: '' }, undefined, 'max_notional'],
    ['price of the venue', { maxNotional: '300' }, { referencePrice: '' }, '150', undefined],
  ])('%s', (_, limits, over, venuePrice, expected) => {
    expect(brokenLimit(limits, over, venuePrice)).toBe(expected);
  });

  test('positions are counted, and adding to an open one needs no room', () => {
    expect(brokenLimit({ maxOpenPositions: 2 }, {}, undefined, ['ETH', 'SOL'])).toBe('max_open_positions');
    expect(brokenLimit({ maxOpenPositions: 2 }, {}, undefined, ['ETH', 'BTC'])).toBeUndefined();
    expect(brokenLimit({ maxOpenPositions: 2 }, {}, undefined, ['ETH', 'ETH'])).toBeUndefined();
  });
});
