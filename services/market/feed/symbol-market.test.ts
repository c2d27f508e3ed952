import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleSource } from '../../../test/harness/sample-source.ts';
import { ManualClock } from '../../platform/clock.ts';
import { StatusError } from '../../platform/errors.ts';
import { FRESHNESS_LIMITS } from '../domain/freshness.ts';
import type { CandleEvent, TradeEvent } from '../domain/market-event.ts';
import { MinuteCandles } from '../domain/minute-candles.ts';
import { KEPT_MAX, type PublishedEvent } from '../domain/published-event.ts';
import { simulate } from '../domain/simulation.ts';
import { IndicatorEngine } from '../indicators/indicator-engine.ts';
import { parseIndicatorId } from '../indicators/indicator-id.ts';
import type { Item, Subscription } from './subscription.ts';
import { ROOM_MS_MAX, SymbolMarket } from './symbol-market.ts';

const START_MS = 1_700_000_040_000;
const LIVE = { sequence: 0, afterTimeMs: undefined };

function candles(count: number, seed = 1n): CandleEvent[] {
  const settings = { seed, startPrice: '100', intervalMs: 60_000, pumpEvery: 50, crashEvery: 0 };
  return [...simulate(settings, START_MS).take(count)];
}

/** Several a minute, now and then none for minutes. */
function trades(count: number): TradeEvent[] {
  return candles(count).map(({ close, numbers }, at) => {
    const timeMs = START_MS + at * 17_000 + (at > count / 2 ? 300_000 : 0);
    return { kind: 'trade', timeMs, price: close, amount: '1', side: '', priceNumber: numbers.close, amountNumber: 1 };
  });
}

function published(events: readonly (CandleEvent | TradeEvent)[], first = 1, sourceId = 'a'): PublishedEvent[] {
  const minutes = new MinuteCandles();
  return events.map((event, at) => {
    const closed = event.kind === 'trade' ? minutes.add(event) : undefined;
    return { sequence: first + at, sourceId, event, closed };
  });
}

function newMarket() {
  const clock = new ManualClock();
  return { clock, market: new SymbolMarket('main', 'X', clock, FRESHNESS_LIMITS) };
}

function readAll(subscription: Subscription): Item[] {
  const items: Item[] = [];
  for (let read = subscription.read(77); read.length > 0; read = subscription.read(77)) items.push(...read);
  return items;
}

const sequences = (items: readonly Item[]): number[] => items.map(({ event }) => event.sequence);

describe('a watch', () => {
  test('gets what comes, in order, and is woken within the turn', () => {
    const { market } = newMarket();
    let woken = 0;
    const watch = market.watch(LIVE, [], () => (woken += 1));
    market.publish(published(candles(3)));
    expect(woken).toBeGreaterThan(0);
    expect(sequences(readAll(watch))).toEqual([1, 2, 3]);
    market.publish(published(candles(5)));
    expect(sequences(readAll(watch))).toEqual([4, 5]);
  });

  test('resumes after a sequence or a time, and says what is missed', () => {
    const { market } = newMarket();
    const events = published(candles(2 * KEPT_MAX + 10));
    market.publish(events);
    const last = events.length;
    const after = (sequence: number) => market.watch({ sequence, afterTimeMs: undefined }, [], () => undefined);
    expect(sequences(readAll(after(last - 3)))).toEqual([last - 2, last - 1, last]);
    expect([after(last - 3).missed, after(last).missed, after(1).missed]).toEqual([false, false, true]);
    expect(readAll(after(1)).length).toBeGreaterThanOrEqual(KEPT_MAX);
    const afterTimeMs = events[last - 3]?.event.timeMs;
    const timed = market.watch({ sequence: 0, afterTimeMs }, [], () => undefined);
    expect(sequences(readAll(timed))).toEqual([last - 1, last]);
  });

  test('does not get again what its cursor has seen when a source repeats itself after a restart', () => {
    const { market } = newMarket();
    const events = published(candles(10));
    market.publish(events.slice(0, 4));
    const watch = market.watch({ sequence: 6, afterTimeMs: undefined }, [], () => undefined);
    market.publish(events.slice(4));
    expect(sequences(readAll(watch))).toEqual([7, 8, 9, 10]);
  });

  test('that falls behind what is kept ends with SLOW_CONSUMER', () => {
    const { market } = newMarket();
    const watch = market.watch(LIVE, [], () => undefined);
    market.publish(published(candles(2 * KEPT_MAX + 10)));
    expect(() => watch.read(1)).toThrow(StatusError);
    expect(() => watch.read(1)).toThrow(/events waited for this reader/);
  });
});

describe('room for a source that could go faster', () => {
  test('is there while watchers keep up, and comes when the slow one has read', async () => {
    const { market } = newMarket();
    const watch = market.watch(LIVE, [], () => undefined);
    const never = new AbortController().signal;
    market.publish(published(candles(1_000)));
    await market.room(never);
    market.publish(published(candles(1_500)));
    let room = false;
    const waiting = market.room(never).then(() => (room = true));
    await Promise.resolve();
    expect(room).toBe(false);
    watch.read(499);
    await Promise.resolve();
    expect(room).toBe(false);
    watch.read(1);
    await waiting;
    expect(room).toBe(true);
  });

  test('is made by letting a watcher go that takes nothing; one that takes a little now and then stays', async () => {
    const { clock, market } = newMarket();
    const stuck = market.watch(LIVE, [], () => undefined);
    const slow = market.watch(LIVE, [], () => undefined);
    market.publish(published(candles(1_600)));
    let room = false;
    const waiting = market.room(new AbortController().signal).then(() => (room = true));
    for (let elapsedMs = 0; elapsedMs < 2 * ROOM_MS_MAX; elapsedMs += 1_000) {
      slow.read(50);
      await Promise.resolve();
      await Promise.resolve();
      clock.advance(1_000);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(() => stuck.read(1)).toThrow(/events waited/);
    expect(room).toBe(false);
    expect(slow.read(200)).toHaveLength(200);
    await waiting;
  });
});

describe('indicators', () => {
  const ids = ['price', 'ema_10', 'rsi_7', 'pump_magnitude_pct_2', 'bollinger_5_2_upper', 'macd_histogram'];
  const parsed = ids.map(parseIndicatorId);

  function direct(events: readonly PublishedEvent[]): number[][] {
    const engine = new IndicatorEngine(ids);
    return events.map(({ event }) => [...engine.update(event)]);
  }

  test('are those of the whole series for a watcher that begins, resumes or joins anywhere', () => {
    for (const series of [published(candles(300)), published(trades(300))]) {
      const expected = direct(series);
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 299 }),
          fc.integer({ min: 1, max: 299 }),
          fc.shuffledSubarray(ids, { minLength: 1 }),
          (joinsAt, cursor, other) => {
            const { market } = newMarket();
            market.publish(series.slice(0, joinsAt));
            const earlier = market.watch(LIVE, other.map(parseIndicatorId), () => undefined);
            const sequence = Math.min(cursor, joinsAt);
            const watch = market.watch({ sequence, afterTimeMs: undefined }, parsed, () => undefined);
            const items = [...readAll(watch)];
            for (const event of series.slice(joinsAt)) {
              market.publish([event]);
              items.push(...readAll(watch));
            }
            expect(items.map(({ values }) => values)).toEqual(expected.slice(sequence));
            const places = other.map((id) => ids.indexOf(id));
            expect(readAll(earlier).map(({ values }) => values)).toEqual(
              expected.slice(joinsAt).map((row) => places.map((place) => row[place])),
            );
          },
        ),
        { numRuns: 40 },
      );
    }
  });

  test('are computed once for all watchers, and no longer when the last one leaves', () => {
    const { market } = newMarket();
    const watches = [
      ['ema_10', 'price'],
      ['EMA-10', 'macd_line'],
      ['macd_signal', 'macd_histogram'],
    ].map((wanted) => market.watch(LIVE, wanted.map(parseIndicatorId), () => undefined));
    expect(market.computations).toBe(2);
    watches[0]?.end();
    watches[2]?.end();
    watches[2]?.end();
    expect(market.computations).toBe(2);
    watches[1]?.end();
    expect(market.computations).toBe(0);
  });

  test('begin anew with another source', () => {
    const { market } = newMarket();
    const watch = market.watch(LIVE, parsed, () => undefined);
    const [first, second] = [published(candles(60)), published(candles(60, 2n), 61, 'b')];
    market.publish(first);
    market.publish(second);
    expect(readAll(watch).map(({ values }) => values)).toEqual([...direct(first), ...direct(second)]);
    const late = market.watch({ sequence: 30, afterTimeMs: undefined }, parsed, () => undefined);
    expect(readAll(late).map(({ values }) => values)).toEqual([...direct(first).slice(30), ...direct(second)]);
  });

  test('are warmed up with what was stored', () => {
    for (const series of [published(candles(200)), published(trades(200))]) {
      const { market } = newMarket();
      const placed = series.slice(0, 150).flatMap(({ closed, sequence, sourceId }) => {
        return closed === undefined ? [] : [{ ...closed, sequence, sourceId }];
      });
      market.restore({ headSequence: 150, events: series.slice(0, 150), candles: placed }, undefined);
      const watch = market.watch(LIVE, parsed, () => undefined);
      market.publish(series.slice(150));
      expect(readAll(watch).map(({ values }) => values)).toEqual(direct(series).slice(150));
    }
  });
});

describe('freshness', () => {
  const source = sampleSource({ kind: { kind: 'replay', dataset: 'd', speed: 6 } });

  test('falls with time, rises with an event, and is told once each time', () => {
    const { clock, market } = newMarket();
    market.follow(source);
    const seen: string[] = [];
    const look = (): void => {
      const now = watch.readFreshness();
      if (now !== undefined) seen.push(`${now.freshness} after ${now.ageMs ?? 'never'}`);
    };
    const watch: Subscription = market.watch(LIVE, [], () => look());
    look();
    market.publish(published(candles(1)));
    clock.advance(29_999);
    market.publish(published(candles(2)));
    clock.advance(200_000);
    market.publish(published(candles(3)));
    // A minute in 10 s: stale after three of them, blind after ten.
    expect(seen).toEqual([
      'BLIND after never',
      'FRESH after 0',
      'STALE after 30000',
      'BLIND after 100000',
      'FRESH after 0',
    ]);
    market.stop();
  });
});
