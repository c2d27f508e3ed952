import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { strategyForm } from '../../../test/harness/sample-strategies.ts';
import { JSON_CHARS_MAX, parseDefinition } from './parse-definition.ts';

const DEEP = 10_000;

/** Faults in words; a definition only where none of them is more than a warning. */
function refusals(json: string): string[] {
  const { definition, faults } = parseDefinition(json);
  const errors = faults.filter(({ warning }) => !warning);
  expect(definition === undefined).toBe(errors.length > 0);
  for (const { description } of faults) {
    expect(description).not.toBe('');
    expect(description.length).toBeLessThan(1_000);
    expect(description.isWellFormed()).toBe(true);
  }
  return errors.map(({ field, description }) => `${field}: ${description}`);
}

/** A sound strategy whose text `spoil` changes. */
function spoiled(spoil: (text: string) => string): string[] {
  return refusals(spoil(JSON.stringify(strategyForm('hostile'))));
}

describe('texts that are no strategy', () => {
  test('are refused in words, whatever they are', () => {
    for (const texts of [fc.string({ unit: 'binary' }), fc.json()]) {
      fc.assert(
        fc.property(texts, (text) => {
          expect(refusals(text)).not.toEqual([]);
        }),
      );
    }
  });

  test('are refused where any value of a sound one is another', () => {
    const form = strategyForm('hostile');
    const keys = Object.keys(form);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        refusals(JSON.stringify({ ...form, [key]: value }));
      }),
    );
  });

  test('are refused where a sound one is cut off anywhere', () => {
    const whole = JSON.stringify(strategyForm('hostile'));
    for (let end = 0; end < whole.length; end += 1) expect(refusals(whole.slice(0, end))).not.toEqual([]);
  });
});

describe('a strategy', () => {
  test.each([
    ['lists', '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['objects', '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
    ['lists without end', '['.repeat(DEEP)],
  ])(`nested ${DEEP} levels deep in %s is refused`, (_, text) => {
    expect(refusals(text)).toHaveLength(1);
    expect(spoiled((json) => json.replace('{', `{"description":${text},`))).toHaveLength(1);
  });

  test.each(['1e309', '-1e309', '9'.repeat(400), `0.${'1'.repeat(400)}`, '1e-400', '123456789012345678901'])(
    'with the number %s, which no double holds, is refused',
    (number) => {
      expect(spoiled((json) => json.replace(/"value":[^,}]+/, `"value":${number}`)).join()).toMatch(/value: /);
    },
  );

  test('with a key twice is refused, however each is written', () => {
    for (const key of ['strategy_name', 'strategyName', '\\u0073trategy_name']) {
      expect(spoiled((json) => json.replace('{', `{"${key}":"other",`))).toEqual([
        'strategy_name: is given twice; keep one of them',
      ]);
    }
  });

  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '\\u005f_proto__'])(
    'with the key %s is refused, and nothing else has it afterwards',
    (key) => {
      const found = spoiled((json) => json.replaceAll('{', `{"${key}":{"polluted":true},`).replaceAll(',}', '}'));
      expect(found.length).toBeGreaterThan(0);
      expect(found.every((fault) => fault.includes('is not a known field'))).toBe(true);
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
    },
  );

  test('larger than may be is refused before it is read', () => {
    expect(refusals(' '.repeat(JSON_CHARS_MAX + 1))).toEqual([
      `: must have at most ${JSON_CHARS_MAX} characters, has ${JSON_CHARS_MAX + 1}`,
    ]);
  });
});
