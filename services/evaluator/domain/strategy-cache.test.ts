import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StrategyCache, type StrategyChange } from './strategy-cache.ts';

/** A log of changes with the digests that the store would publish. */
function logOf(edits: readonly { readonly id: string; readonly deleted: boolean }[]): StrategyChange<string>[] {
  const live = new Map<string, number>();
  return edits.map(({ id, deleted }, i) => {
    const revision = i + 1;
    if (deleted) live.delete(id);
    else live.set(id, revision);
    const text = [...live.keys()].toSorted().map((each) => `${each}:${live.get(each)}\n`);
    const digest = createHash('sha256').update(text.join('')).digest('hex');
    return { revision, strategyId: id, deleted, definition: `${id} ${revision}`, digest };
  });
}

const edits = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), deleted: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
});

function cacheWith(changes: readonly StrategyChange<string>[]): StrategyCache<string> {
  const cache = new StrategyCache<string>(() => undefined);
  for (const change of changes) expect(cache.offer(change)).toBe('applied');
  return cache;
}

const [first, second, third] = logOf([
  { id: 'a', deleted: false },
  { id: 'b', deleted: false },
  { id: 'a', deleted: true },
]);
if (first === undefined || second === undefined || third === undefined) throw new Error('three changes');

describe('a strategy cache', () => {
  test('holds what the store holds, whatever order the changes come in and however often', () => {
    const shuffled = edits.chain((given) => {
      const log = logOf(given);
      const doubled = fc.shuffledSubarray([...log, ...log], { minLength: log.length });
      return fc.record({ log: fc.constant(log), delivered: doubled });
    });
    fc.assert(
      fc.property(shuffled, ({ log, delivered }) => {
        const cache = new StrategyCache<string>(() => undefined);
        for (const change of delivered) expect(cache.offer(change)).not.toBe('mismatch');
        // What was lost comes with the log, read again from where the cache is.
        for (const change of log.slice(cache.applied)) cache.offer(change);
        const last = log.at(-1);
        expect([cache.applied, cache.digest, cache.gap]).toEqual([log.length, last?.digest, false]);
      }),
      { numRuns: 500 },
    );
  });

  test('applies only the next one: a gap holds, what fills it lets go', () => {
    const told: string[] = [];
    const cache = new StrategyCache<string>((id) => told.push(id));
    expect(cache.offer(third)).toBe('held');
    expect(cache.offer(second)).toBe('held');
    expect([cache.applied, cache.gap, told]).toEqual([0, true, []]);
    expect(cache.offer(first)).toBe('applied');
    expect([cache.applied, cache.gap, told]).toEqual([3, false, ['a', 'b']]);
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toEqual({ revision: 2, definition: 'b 2' });
  });

  test('ignores repeats', () => {
    const cache = cacheWith([first, second]);
    expect(cache.offer(first)).toBe('duplicate');
    expect(cache.applied).toBe(2);
  });

  test('notices another digest, with a change and at a checkpoint, and begins again', () => {
    const cache = cacheWith([first]);
    expect(cache.offer({ ...second, digest: 'f00d' })).toBe('mismatch');
    expect(cache.agrees(2, second.digest)).toBe(true);
    expect(cache.agrees(2, 'f00d')).toBe(false);
    cache.reset();
    expect([cache.applied, cache.get('a')]).toEqual([0, undefined]);
    expect(cache.offer(first)).toBe('applied');
  });

  test('of nothing has the digest of nothing', () => {
    expect(new StrategyCache<string>(() => undefined).digest).toBe(createHash('sha256').digest('hex'));
  });
});
