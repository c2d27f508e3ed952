import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../platform/clock.ts';
import type { StoredToken } from '../domain/token.ts';
import { TokenCache } from './token-cache.ts';

const token: StoredToken = {
  id: 'a'.repeat(32),
  accountId: 'main',
  name: 'founder',
  role: 'admin',
  secretDigest: Buffer.alloc(32),
  createTimeMs: 0,
  revokeTimeMs: undefined,
};

describe('TokenCache', () => {
  test('reads once for calls that come together, and again before a second is over', async () => {
    const clock = new ManualClock();
    let reads = 0;
    const cache = new TokenCache(() => Promise.resolve({ ...token, name: `read ${++reads}` }), clock);
    const together = await Promise.all([cache.find(token.id), cache.find(token.id)]);
    expect(together.map((found) => found?.name)).toEqual(['read 1', 'read 1']);
    clock.advance(799);
    expect((await cache.find(token.id))?.name).toBe('read 1');
    clock.advance(1);
    expect((await cache.find(token.id))?.name).toBe('read 2');
  });

  test('age counts from before the read: a slow answer is no younger', async () => {
    const clock = new ManualClock();
    const slow = Promise.withResolvers<StoredToken>();
    const answers: Promise<StoredToken>[] = [slow.promise, Promise.resolve({ ...token, revokeTimeMs: 1 })];
    const cache = new TokenCache(() => answers.shift() ?? Promise.reject(new Error('too many reads')), clock);
    const first = cache.find(token.id);
    clock.advance(900);
    slow.resolve(token);
    expect((await first)?.revokeTimeMs).toBeUndefined();
    expect((await cache.find(token.id))?.revokeTimeMs).toBe(1);
  });

  test('a failed read is not kept, and there is no grace without the database', async () => {
    const clock = new ManualClock();
    let away = false;
    const cache = new TokenCache(() => (away ? Promise.reject(new Error('away')) : Promise.resolve(token)), clock);
    await cache.find(token.id);
    away = true;
    clock.advance(800);
    await expect(cache.find(token.id)).rejects.toThrow('away');
    away = false;
    expect(await cache.find(token.id)).toBe(token);
  });

  test('what was read does not become young again when the clock is set back', async () => {
    let nowMs = 3_600_000;
    let reads = 0;
    const clock = { nowMs: () => nowMs, steadyMs: () => nowMs, after: () => () => undefined };
    const cache = new TokenCache(() => Promise.resolve((reads++, token)), clock);
    await cache.find(token.id);
    nowMs = 0;
    await cache.find(token.id);
    expect(reads).toBe(2);
  });

  test('forgets on request', async () => {
    let reads = 0;
    const cache = new TokenCache(() => Promise.resolve((reads++, token)), new ManualClock());
    await cache.find(token.id);
    cache.forget(token.id);
    await cache.find(token.id);
    expect(reads).toBe(2);
  });
});
