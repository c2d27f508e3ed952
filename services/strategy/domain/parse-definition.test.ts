import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyDefinition } from '../../../test/harness/any-definition.ts';
import { strategyForm } from '../../../test/harness/sample-strategies.ts';
import { camelCase, snakeCase } from './form-reader.ts';
import { toJsonForm, toJsonText } from './json-form.ts';
import { JSON_CHARS_MAX, parseDefinition } from './parse-definition.ts';

/** As the design of the platform shows it. */
const DESIGNED = `{ "strategy_name": "my_pump_strategy",
  "s1_signal": { "conditions": [ { "id": "cond1", "indicatorId": "pump_magnitude_pct", "operator": ">=", "value": 5 } ] },
  "z1_entry": { "conditions": [], "positionSize": { "type": "percentage", "value": 2 },
                "stopLoss": { "enabled": true, "offsetPercent": 5 }, "takeProfit": { "enabled": true, "offsetPercent": 10 } },
  "ze1_close": { "conditions": [] },
  "o1_cancel": { "timeoutSeconds": 300, "conditions": [] },
  "emergency_exit": { "conditions": [], "cooldownMinutes": 30, "actions": { "cancelPending": true, "closePosition": true } },
  "global_limits": { "base_position_pct": 0.02, "max_leverage": 3, "stop_loss_buffer_pct": 10 } }`;

/** Every key of a value written by `rename`. */
function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [rename(key), renamed(member, rename)]));
}

function faultsOf(form: unknown, { warnings = false } = {}): string[] {
  return parseDefinition(typeof form === 'string' ? form : JSON.stringify(form))
    .faults.filter(({ warning }) => warning === warnings)
    .map(({ field, description }) => `${field}: ${description}`);
}

const condition = (id: string, indicatorId: string, operator: string, value: unknown) => ({
  id,
  indicatorId,
  operator,
  value,
});

describe('the JSON form', () => {
  test('is read as designed, and written again as it was', () => {
    const { definition } = parseDefinition(DESIGNED);
    if (definition === undefined) throw new Error('refused');
    expect(toJsonForm(definition)).toEqual(JSON.parse(DESIGNED));
  });

  test.each([
    ['snake_case', snakeCase],
    ['camelCase', camelCase],
  ])('in %s means the same', (_, rename) => {
    const { definition } = parseDefinition(JSON.stringify(renamed(JSON.parse(DESIGNED), rename)));
    expect(definition).toEqual(parseDefinition(DESIGNED).definition);
  });

  test('of any definition comes back without loss, whichever way each of its keys is written', () => {
    fc.assert(
      fc.property(anyDefinition, fc.infiniteStream(fc.boolean()), (definition, coin) => {
        const rename = (key: string): string => (coin.next().value === true ? snakeCase(key) : camelCase(key));
        const { definition: read, faults } = parseDefinition(JSON.stringify(renamed(toJsonForm(definition), rename)));
        expect(faults.filter(({ warning }) => !warning)).toEqual([]);
        expect(read).toEqual(definition);
        expect(read === undefined ? '' : toJsonText(read)).toBe(toJsonText(definition));
      }),
    );
  });

  test('may leave sections out, and say null for what is absent', () => {
    const { definition } = parseDefinition(
      '{"strategyName": "x", "z1_entry": null, "globalLimits": {"maxLeverage": null}}',
    );
    expect(definition).toEqual({
      strategyName: 'x',
      s1Signal: { conditions: [] },
      z1Entry: { conditions: [] },
      ze1Close: { conditions: [] },
      o1Cancel: { conditions: [] },
      emergencyExit: { conditions: [] },
      globalLimits: {},
    });
  });

  test.each(['RSI-14', 'Rsi 14', 'rsi_14', 'RSI - 14'])('normalises the indicator "%s"', (indicatorId) => {
    const { definition } = parseDefinition(
      JSON.stringify(strategyForm('x', { s1_signal: { conditions: [condition('a', indicatorId, '>', 1)] } })),
    );
    expect(definition?.s1Signal.conditions[0]?.indicatorId).toBe('rsi_14');
  });
});

describe('faults', () => {
  test('are found all at once, each with its place', () => {
    const form = {
      strategy_nam: 'x',
      s1_signal: {
        conditions: [
          condition('a', 'rsi_14', '=>', '5'),
          { id: 'a', indicatorId: '', operator: '>', value: 1, unit: 'pct' },
          condition('b', 'price', '>', 5),
          condition('c', 'price', '<', 3),
        ],
      },
      z1_entry: { conditions: [condition('d', 'price', '>', 1)], leverage: 5, stopLoss: { offsetPercent: 5 } },
      o1_cancel: { timeoutSeconds: -1 },
      global_limits: { max_leverage: 126, base_position_pct: 2 },
    };
    expect(faultsOf(form).map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual([
      'strategy_nam',
      'strategy_name',
      's1_signal.conditions[0].operator',
      's1_signal.conditions[0].value',
      's1_signal.conditions[1].unit',
      's1_signal.conditions[1].indicatorId',
      'z1_entry.stopLoss.enabled',
      'o1_cancel.timeoutSeconds',
      'global_limits.base_position_pct',
      'global_limits.max_leverage',
      's1_signal.conditions[1].id',
      's1_signal.conditions[3]',
      'z1_entry.leverage',
    ]);
  });

  test.each([
    ['an unknown field', { globalLimit: {} }, /^globalLimit: is not a known field; did you mean global_limits\?/],
    ['an unknown field deep inside', { z1_entry: { stop_los: {} } }, /^z1_entry\.stop_los: .*did you mean stopLoss\?/],
    ['a field like no other', { colour: 'red' }, /^colour: is not a known field; the fields here are strategy_name/],
    ['a text for a number', { z1_entry: { leverage: '2' } }, /^z1_entry\.leverage: must be a number, is the text "2"$/],
    ['a list for an object', { z1_entry: [] }, /^z1_entry: must be an object, is a list$/],
    [
      'an object for a list',
      { s1_signal: { conditions: {} } },
      /^s1_signal\.conditions: must be a list, is an object$/,
    ],
    ['a name that is too long', { strategy_name: 'x'.repeat(101) }, /^strategy_name: must have at most 100 characters/],
    [
      'a name like an id',
      { strategy_name: '0190f3c1-2f7a-7000-8000-0123456789ab' },
      /^strategy_name: must not look like an id$/,
    ],
    ['a name with a control character', { strategy_name: 'a\u0007b' }, /^strategy_name: must consist of printable/],
    ['a name with blanks around', { strategy_name: ' a' }, /^strategy_name: must not begin or end with a blank$/],
    [
      'half a position size',
      { z1_entry: { positionSize: { value: 2 } } },
      /^z1_entry\.positionSize\.type: is required: one of/,
    ],
    [
      'more than everything',
      { z1_entry: { positionSize: { type: 'percentage', value: 101 } } },
      /positionSize\.value: must be above 0 and at most 100, is 101$/,
    ],
    [
      'a stop at the entry',
      { z1_entry: { stopLoss: { enabled: true, offsetPercent: 0 } } },
      /offsetPercent: must be above 0 and below 100, is 0$/,
    ],
    [
      'a stop without its distance',
      { z1_entry: { stopLoss: { enabled: true } } },
      /offsetPercent: is required: a number$/,
    ],
    [
      'half of the actions',
      { emergency_exit: { actions: { closePosition: true } } },
      /actions\.cancelPending: is required: true or false$/,
    ],
    [
      'a timeout of months',
      { o1_cancel: { timeoutSeconds: 1e9 } },
      /timeoutSeconds: must be at least 0 and at most 2592000/,
    ],
    [
      'a buffer of everything',
      { global_limits: { stop_loss_buffer_pct: 100 } },
      /must be at least 0 and below 100, is 100$/,
    ],
  ])('%s', (_, parts, expected) => {
    const faults = faultsOf({ ...strategyForm('x'), ...parts });
    expect(faults).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['1e400', /value: must be a finite number, is 1e400$/],
    ['-1e400', /value: must be a finite number/],
    [
      '12345678901234567890',
      /value: 12345678901234567890 has more digits than can be kept; write 12345678901234567000$/,
    ],
    ['1e-400', /has more digits than can be kept; write 0$/],
    ['"NaN"', /value: must be a number, is the text "NaN"$/],
    ['null', /value: is required: a number$/],
    ['true', /value: must be a number, is true$/],
  ])('the value %s', (value, expected) => {
    const conditions = `[{"id": "a", "indicatorId": "price", "operator": ">", "value": ${value}}]`;
    expect(faultsOf(`{"strategy_name": "x", "s1_signal": {"conditions": ${conditions}}}`)).toEqual([
      expect.stringMatching(expected),
    ]);
  });

  test.each(['0.1', '5.0', '1E3', '0.30000000000000004', '-0', '1.7976931348623157e308'])(
    'the value %s is none',
    (value) => {
      const conditions = `[{"id": "a", "indicatorId": "price", "operator": ">", "value": ${value}}]`;
      expect(faultsOf(`{"strategy_name": "x", "s1_signal": {"conditions": ${conditions}}}`)).toEqual([]);
    },
  );

  test('a key that is given twice, in one way of writing or both', () => {
    expect(faultsOf('{"strategy_name": "x", "strategy_name": "y"}')).toEqual([
      'strategy_name: is given twice; keep one of them',
    ]);
    expect(faultsOf('{"strategy_name": "x", "s1_signal": {}, "s1Signal": {}}')).toEqual([
      's1_signal: is given twice; keep one of them',
    ]);
  });

  test.each([
    ['', ': is empty; write a strategy in the JSON form'],
    ['{', ': is not JSON: what stands at line 1, column 2 cannot be read'],
    ['{"a": 1,\n}', ': is not JSON: what stands at line 2, column 1 cannot be read'],
    ['[1', ': is not JSON: what stands at line 1, column 3 cannot be read'],
    ['{"a":', ': is not JSON: it ends too early'],
    ['{"a": x}', ": is not JSON: 'x' stands where it cannot be read"],
    ['[]', ': must be an object, is a list'],
    ['"x"', ': must be an object, is the text "x"'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, ': is nested deeper than 32 levels'],
    [' '.repeat(JSON_CHARS_MAX + 1), `: must have at most ${JSON_CHARS_MAX} characters, has ${JSON_CHARS_MAX + 1}`],
  ])('the text %j', (text, expected) => {
    expect(faultsOf(text)).toContain(expected);
  });
});

describe('what stands between fields', () => {
  test('an entry needs a size, from the section or the limits', () => {
    const entering = { conditions: [condition('a', 'price', '>', 1)] };
    expect(faultsOf(strategyForm('x', { z1_entry: entering, s1_signal: {}, global_limits: {} }))).toEqual([
      'z1_entry.positionSize: there is no size: give it, or global_limits.base_position_pct',
    ]);
    expect(faultsOf(strategyForm('x', { z1_entry: entering, s1_signal: {} }))).toEqual([]);
  });

  test.each([
    [2, undefined, ['z1_entry.leverage: 2 is above global_limits.max_leverage, which is 1 where it is not given']],
    [4, 3, ['z1_entry.leverage: 4 is above global_limits.max_leverage, which is 3']],
    [3, 3, []],
  ])('leverage %d with a limit of %s', (leverage, max, expected) => {
    const limits = { base_position_pct: 0.02, ...(max === undefined ? {} : { max_leverage: max }) };
    expect(faultsOf(strategyForm('x', { z1_entry: { leverage }, global_limits: limits }))).toEqual(expected);
  });

  test.each([
    [30, 3, 10, 0],
    [30.0001, 3, 10, 1],
    [33.3, 3, 0, 0],
    [33.4, 3, undefined, 1],
    [99, 1, undefined, 0],
    // As doubles 0.1 × 3 is more than 0.3.
    [0.1 * 100, 3, 70, 0],
  ])('a stop at %d %% with leverage %d and a buffer of %s %%', (offsetPercent, leverage, buffer, faults) => {
    const form = strategyForm('x', {
      z1_entry: { leverage, stopLoss: { enabled: true, offsetPercent } },
      global_limits: { max_leverage: 3, ...(buffer === undefined ? {} : { stop_loss_buffer_pct: buffer }) },
    });
    expect(faultsOf(form)).toHaveLength(faults);
  });

  test('a stop that lies too near to liquidation is told how far it may', () => {
    const z1 = { leverage: 3, stopLoss: { enabled: true, offsetPercent: 50 } };
    expect(faultsOf(strategyForm('x', { z1_entry: z1 }))).toEqual([
      'z1_entry.stopLoss.offsetPercent: 50 is too near to liquidation with leverage 3 and a stop_loss_buffer_pct of 10; write at most 30',
    ]);
    // Rounded up it would be refused again.
    const buffered = { max_leverage: 3, stop_loss_buffer_pct: 0 };
    const told = faultsOf(strategyForm('x', { z1_entry: z1, global_limits: buffered }));
    expect(told).toEqual([expect.stringMatching(/write at most 33\.3333$/)]);
    const off = { leverage: 3, stopLoss: { enabled: false, offsetPercent: 50 } };
    expect(faultsOf(strategyForm('x', { z1_entry: off }))).toEqual([]);
  });

  test('two ways of writing one indicator contradict each other', () => {
    const form = strategyForm('x', {
      s1_signal: { conditions: [condition('a', 'rsi', '>', 80), condition('b', 'rsi_14', '<', 20)] },
    });
    const { faults } = parseDefinition(JSON.stringify(form), () => ({ canonicalId: 'rsi_14', fault: '' }));
    expect(faults.filter(({ warning }) => !warning)).toEqual([
      expect.objectContaining({ description: 'no value of rsi_14 is < 20 and satisfies a (> 80)' }),
    ]);
  });

  test('conditions of different sections do not contradict each other', () => {
    const form = strategyForm('x', {
      s1_signal: { conditions: [condition('a', 'rsi_14', '>', 80)] },
      z1_entry: { conditions: [condition('b', 'rsi_14', '<', 20)] },
    });
    expect(faultsOf(form)).toEqual([]);
  });

  test.each([
    [{ s1_signal: {} }, ['s1_signal: has no conditions, so the strategy can never signal']],
    [
      { z1_entry: { takeProfit: { enabled: true, offsetPercent: 1 } } },
      ['z1_entry: has no conditions, so the strategy can never enter'],
    ],
    [
      { z1_entry: { conditions: [condition('b', 'price', '>', 1)], stopLoss: { enabled: false, offsetPercent: 1 } } },
      ['ze1_close: has no conditions and there is neither stop loss nor take profit: nothing ever closes a position'],
    ],
    [
      {
        z1_entry: { conditions: [condition('b', 'price', '>', 1)] },
        emergency_exit: {
          conditions: [condition('c', 'price', '<', 1)],
          actions: { cancelPending: true, closePosition: false },
        },
      },
      ['ze1_close: has no conditions and there is neither stop loss nor take profit: nothing ever closes a position'],
    ],
    [
      {
        emergency_exit: {
          conditions: [condition('b', 'price', '>', 1)],
          actions: { cancelPending: false, closePosition: false },
        },
      },
      ['emergency_exit.actions: are both false, so the emergency exit can never fire'],
    ],
    [
      { z1_entry: { conditions: [condition('b', 'price', '>', 1)], takeProfit: { enabled: false, offsetPercent: 1 } } },
      ['ze1_close: has no conditions and there is neither stop loss nor take profit: nothing ever closes a position'],
    ],
    [
      {
        emergency_exit: {
          conditions: [condition('b', 'price', '>', 1)],
          actions: { cancelPending: false, closePosition: true },
        },
      },
      [],
    ],
    [{ emergency_exit: { actions: { cancelPending: false, closePosition: false } } }, []],
    [{}, []],
  ])('%j is odd, and allowed', (parts, expected) => {
    const form = strategyForm('x', parts);
    expect(faultsOf(form)).toEqual([]);
    expect(faultsOf(form, { warnings: true })).toEqual(expected);
  });
});
