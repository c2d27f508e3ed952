import { expect, test } from 'vitest';
import { tagOf } from './tag.ts';

test('a tag is short, plain, and follows from the id alone', () => {
  const ids = [...Array(1_000).keys()].map((n) => `0190f3c2-0000-7000-8000-${String(n).padStart(12, '0')}`);
  const tags = ids.map(tagOf);
  for (const tag of tags) expect(tag).toMatch(/^st[a-z2-7]{26}$/);
  expect(new Set(tags).size).toBe(ids.length);
  expect(ids.map(tagOf)).toEqual(tags);
  // Orders that lie at venues carry tags of earlier releases: the function must never change.
  expect(tagOf('0190f3c2-0000-7000-8000-000000000000')).toBe('stajs3cdkbldzucltkfya42lxgb7');
});
