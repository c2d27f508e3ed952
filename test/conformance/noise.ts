import type { Random } from '../fault/random.ts';

/** Random bytes that the seed repeats. */
export function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** Every beginning of the bytes, the empty one and the whole included; each `step`-th when they are many. */
export function beginningsOf(bytes: Buffer, step = 1): Buffer[] {
  const beginnings: Buffer[] = [];
  for (let end = 0; end <= bytes.length; end += step) beginnings.push(bytes.subarray(0, end));
  return beginnings;
}

/** Copies with one byte changed each, at places that the seed chooses. */
export function damaged(bytes: Buffer, copies: number, random: Random): Buffer[] {
  return Array.from({ length: copies }, () => {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 + random.below(255));
    return copy;
  });
}
