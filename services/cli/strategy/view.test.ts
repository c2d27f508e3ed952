import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Operator, StrategySchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { FieldChangeSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { nameInFile } from './file.ts';
import { parseRevision } from './revision.ts';
import { changeText, conditionsText, STRATEGY_COLUMNS, strategyRow } from './view.ts';

const strategy = create(StrategySchema, {
  id: 's-1',
  revision: 7n,
  definition: {
    strategyName: 'pump',
    s1Signal: {
      conditions: [
        { id: 'a', indicatorId: 'rsi_14', operator: Operator.LESS, value: 30 },
        { id: 'b', indicatorId: 'price', operator: Operator.NOT_EQUAL, value: 0.5 },
      ],
    },
  },
});

describe('a strategy for people', () => {
  test('a row is as wide as its table, and says when it signals and enters', () => {
    const row = strategyRow(strategy);
    expect(row).toHaveLength(STRATEGY_COLUMNS.length);
    expect(row).toEqual(['pump', '7', '', 'rsi_14 < 30 and price != 0.5', 'never', 's-1']);
  });

  test('one that this platform cannot read is in the list all the same', () => {
    const row = strategyRow(create(StrategySchema, { id: 's-2', revision: 1n, json: '{}' }));
    expect(row[0]).toBe('s-2');
    expect(row[3]).toContain('cannot be read');
    expect(conditionsText([])).toBe('never');
  });

  test.each([
    ['5', '7', '~ x: 5 → 7'],
    ['', '7', '+ x: 7'],
    ['5', '', '- x: 5'],
  ])('a change from "%s" to "%s"', (before, after, expected) => {
    const [sign = '', values = ''] = expected.split(/(?<=^.) /);
    const text = changeText(create(FieldChangeSchema, { path: 'x', before, after }));
    expect(text).toContain(sign);
    expect(text).toContain(values);
  });
});

describe('what is typed', () => {
  test.each(['0', '-1', '1.5', 'x', ''])('the revision "%s" is refused', (text) => {
    expect(() => parseRevision(text)).toThrow('is not a revision; write a number from 1');
  });

  test('a revision is a number, and may be left out', () => {
    expect(parseRevision('12')).toBe(12n);
    expect(parseRevision(undefined)).toBeUndefined();
  });

  test('a file names its strategy in either way of writing', () => {
    expect(nameInFile('{"strategy_name": "a"}', 'f')).toBe('a');
    expect(nameInFile('{"strategyName": "b"}', 'f')).toBe('b');
    expect(() => nameInFile('{"name": "b"}', 'f.json')).toThrow('f.json has no strategy_name');
    expect(() => nameInFile('[', 'f.json')).toThrow('f.json is not JSON');
  });
});
