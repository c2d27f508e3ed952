import { describe, expect, test } from 'vitest';
import { type ArrayElement, arrayLiteral } from './array-literal.ts';

const same = (value: ArrayElement): ArrayElement => value;

describe('arrayLiteral', () => {
  test('joins what needs no quotes', () => {
    expect(arrayLiteral('float8', [1.5, null, Infinity, -2], same)).toBe('{1.5,NULL,Infinity,-2}');
    expect(arrayLiteral('boolean', [true, false, null], same)).toBe('{true,false,NULL}');
  });

  test('quotes and escapes text, so that no value can end its element', () => {
    expect(arrayLiteral('text', ['', 'NULL', 'a"b', 'back\\slash', '},{'], same)).toBe(
      '{"","NULL","a\\"b","back\\\\slash","},{"}',
    );
  });

  test('writes bytes as hex, views of a larger buffer included', () => {
    const view = new Uint8Array([9, 0, 255, 9]).subarray(1, 3);
    expect(arrayLiteral('bytea', [view, new Uint8Array()], same)).toBe('{"\\\\x00ff","\\\\x"}');
  });

  test('is an empty array without rows', () => {
    expect(arrayLiteral('uuid', [], same)).toBe('{}');
  });
});
