import { expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import { FRESHNESS_LIMITS } from '../domain/freshness.ts';
import { SymbolMarket } from '../feed/symbol-market.ts';
import { follow } from './watching.ts';

const QUIET = { items: [], freshness: [], missedSymbols: [] };

function following(checkpoints: boolean) {
  const clock = new ManualClock();
  const market = new SymbolMarket('main', 'X', clock, FRESHNESS_LIMITS);
  const hold = () => Promise.resolve({ market, release: () => undefined });
  const calling = new AbortController();
  const watches = [{ symbol: 'X', cursor: { sequence: 0, afterTimeMs: undefined }, ids: [] }];
  return { clock, calling, stream: follow(watches, { hold, clock, checkpoints }, calling.signal) };
}

test('a watcher that asks for checkpoints gets one for every 5 s without anything', async () => {
  const { clock, calling, stream } = following(true);
  expect((await stream.next()).value).toMatchObject({ items: [], freshness: [{ symbol: 'X' }] });
  for (let count = 0; count < 3; count += 1) {
    const next = stream.next();
    await Promise.resolve();
    clock.advance(5_000);
    expect((await next).value).toEqual(QUIET);
  }
  const last = stream.next();
  calling.abort();
  expect((await last).done).toBe(true);
});

test('a watcher that does not ask for checkpoints gets none', async () => {
  const { clock, calling, stream } = following(false);
  await stream.next();
  const last = stream.next();
  await Promise.resolve();
  clock.advance(60_000);
  calling.abort();
  expect((await last).done).toBe(true);
});
