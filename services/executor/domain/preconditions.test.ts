import { describe, expect, test } from 'vitest';
import type { CommandFacts, VenueFacts } from './command-facts.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';

const command: CommandFacts = {
  kind: 'open_position',
  sessionId: 's',
  strategyId: 'x',
  symbol: 'BTC',
  symbols: [],
  quantity: '1',
  referencePrice: '',
};

const venue = (over: { paused?: boolean; sessionPaused?: boolean } = {}): VenueFacts => ({
  paused: over.paused ?? false,
  sessions: [
    {
      sessionId: 's',
      paused: over.sessionPaused ?? false,
      instances: [{ strategyId: 'x', symbol: 'BTC', strategyRevision: 7n }],
    },
  ],
  positions: [],
});

const NONE: VenueFacts = { paused: false, sessions: [], positions: [] };

function broken(wanted: Preconditions, facts = venue(), price?: string): string | undefined {
  return checkPreconditions(wanted, command, facts, price)?.metadata['precondition'];
}

describe('preconditions', () => {
  test.each<[string, Preconditions, VenueFacts, string | undefined]>([
    ['nothing asked', {}, NONE, undefined],
    ['active and is', { sessionState: 'active' }, venue(), undefined],
    ['active and paused', { sessionState: 'active' }, venue({ sessionPaused: true }), 'session_state'],
    ['active and the executor is paused', { sessionState: 'active' }, venue({ paused: true }), 'session_state'],
    ['paused and is', { sessionState: 'paused' }, venue({ sessionPaused: true }), undefined],
    ['absent and is', { sessionState: 'absent' }, NONE, undefined],
    ['absent and open', { sessionState: 'absent' }, venue(), 'session_state'],
    ['revision that runs', { strategyRevision: 7n }, venue(), undefined],
    ['another revision', { strategyRevision: 8n }, venue(), 'strategy_revision'],
    ['revision and nothing runs', { strategyRevision: 7n }, NONE, 'strategy_revision'],
  ])('%s', (_, wanted, facts, expected) => {
    expect(broken(wanted, facts)).toBe(expected);
  });

  test.each<[string, string, string | undefined, string | undefined]>([
    ['90', '110', '100', undefined],
    ['100', '100', '100', undefined],
    ['', '99.99', '100', 'price_band'],
    ['100.01', '', '100', 'price_band'],
    ['90', '110', undefined, 'price_band'],
    ['ninety', '110', '100', 'price_band'],
  ])('band from "%s" to "%s" with price %s', (minPrice, maxPrice, price, expected) => {
    expect(broken({ priceBand: { minPrice, maxPrice } }, NONE, price)).toBe(expected);
  });
});
