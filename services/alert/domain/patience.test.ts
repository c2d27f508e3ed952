import { expect, test } from 'vitest';
import type { Condition } from './condition.ts';
import { Patience } from './patience.ts';

const DEAD: Condition = { accountId: '', rule: 'DELIVERY_DEAD', subject: 'platform', sentence: '', next: '' };

test('what is so for a moment while something starts must last', () => {
  const patience = new Patience(10_000);
  expect(patience.lasting([DEAD], 0)(DEAD)).toBe(false);
  expect(patience.lasting([DEAD], 9_999)(DEAD)).toBe(false);
  expect(patience.lasting([DEAD], 10_000)(DEAD)).toBe(true);
  expect(patience.lasting([], 11_000)(DEAD)).toBe(false);
  expect(patience.lasting([DEAD], 12_000)(DEAD)).toBe(false);
});

test('a market that is blind for a moment while its source starts tells nobody', () => {
  const blind: Condition = { ...DEAD, rule: 'MARKET_BLIND', subject: 'BTC_USDT' };
  const patience = new Patience(10_000);
  expect(patience.lasting([blind], 0)(blind)).toBe(false);
  expect(patience.lasting([blind], 10_000)(blind)).toBe(true);
});

test('rules that wait by themselves are not held back', () => {
  const offline: Condition = { ...DEAD, rule: 'EXECUTOR_OFFLINE' };
  expect(new Patience(10_000).lasting([offline], 0)(offline)).toBe(true);
});
