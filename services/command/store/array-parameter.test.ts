import { describe, expect, test } from 'vitest';
import { type ArrayElement, arrayParameter } from './array-parameter.ts';

const same = (value: ArrayElement): ArrayElement => value;

describe('arrayParameter', () => {
  test('is NULL when every element is null: the statement then fills the column by itself', () => {
    expect(arrayParameter('text', [null, null], same)).toBeNull();
    expect(arrayParameter('text', [null, ''], same)).not.toBeNull();
  });

  test('has no dimension when it is empty', () => {
    expect(arrayParameter('uuid', [], same)?.toString('hex')).toBe(`${'00000000'.repeat(2)}00000b86`);
  });

  test('names its element type and says whether there are nulls', () => {
    const numbers = arrayParameter('integer', [1, -2], same);
    expect(numbers?.toString('hex')).toBe(
      ['00000001', '00000000', '00000017', '00000002', '00000001', '0000000400000001', '00000004fffffffe'].join(''),
    );
    const withNull = arrayParameter('integer', [null, 7], same);
    expect(withNull?.toString('hex')).toBe(
      ['00000001', '00000001', '00000017', '00000002', '00000001', 'ffffffff', '0000000400000007'].join(''),
    );
  });

  test('gives each call bytes of its own', () => {
    const first = arrayParameter('integer', [1], same);
    const before = first?.toString('hex');
    arrayParameter('integer', [2], same);
    expect(first?.toString('hex')).toBe(before);
  });

  test('refuses what the type cannot hold', () => {
    expect(() => arrayParameter('uuid', ['c4ca4238'], same)).toThrow('"c4ca4238" is not a UUID');
    expect(() => arrayParameter('uuid', [`${'0'.repeat(32)}0`], same)).toThrow('is not a UUID');
    expect(() => arrayParameter('uuid', ['g4ca4238-a0b9-2382-0dcc-509a6f75849b'], same)).toThrow('is not a UUID');
    expect(() => arrayParameter('integer', [2 ** 31], same)).toThrow(RangeError);
    expect(() => arrayParameter('integer', [1.5], same)).toThrow(RangeError);
    expect(() => arrayParameter('bigint', [2 ** 53], same)).toThrow(RangeError);
    expect(() => arrayParameter('timestamptz', [Number.NaN], same)).toThrow(RangeError);
    expect(() => arrayParameter('bytea', ['text'], same)).toThrow(TypeError);
  });
});
