import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import { normaliseIndicatorId, parseIndicatorId, UnknownIndicatorError } from './indicator-id.ts';

describe('an id', () => {
  test.each([
    ['EMA-20', 'ema_20'],
    ['ema', 'ema_20'],
    [' Ema_020 ', 'ema_20'],
    ['MACD', 'macd_12_26_9_line'],
    ['macd_histogram', 'macd_12_26_9_histogram'],
    ['Macd-8-21-SIGNAL', 'macd_8_21_9_signal'],
    ['bollinger_20_2.50_percent_b', 'bollinger_20_2.5_percent_b'],
    ['pump-magnitude-pct', 'pump_magnitude_pct_5'],
    ['pump_magnitude_pct_15', 'pump_magnitude_pct_15'],
    ['price', 'price'],
    ['price_velocity', 'price_velocity_1'],
    ['volume_surge_ratio', 'volume_surge_ratio_20'],
    ['stochastic_d', 'stochastic_14_3_3_d'],
  ])('%s is %s', (id, normalised) => {
    expect(normaliseIndicatorId(id)).toBe(normalised);
  });

  test.each([
    ['emaa_20', '"emaa_20" is not known; closest: ema_20'],
    ['pump', 'closest: pump_magnitude_pct'],
    ['bollinger_20_2', 'does not say which of upper, middle, lower, bandwidth, percent_b is meant'],
    ['rsi_1', 'has period 1, which must be 2 to 250'],
    ['rsi_14.5', 'has period 14.5, which must be a whole number'],
    ['ema_20_30', 'has 2 numbers, ema takes 1'],
    ['ema_fast', 'has "fast" where the number period belongs'],
    ['macd_26_12_9', 'fast (26) must be below slow (12)'],
    ['price_5', 'has 1 numbers, price takes 0'],
    ['', 'is empty'],
    ['x'.repeat(81), 'has more than 80 characters'],
  ])('%s is refused', (id, fault) => {
    expect(() => parseIndicatorId(id)).toThrow(UnknownIndicatorError);
    expect(() => parseIndicatorId(id)).toThrow(fault);
  });

  test('once normalised stays as it is, and means the same', () => {
    const known = CATALOGUE.flatMap(({ examples }) => examples);
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.boolean(), fc.boolean(), (id, upper, dashes) => {
        const spelt = dashes ? id.replaceAll('_', '-') : id;
        const normalised = normaliseIndicatorId(upper ? spelt.toUpperCase() : spelt);
        expect(normaliseIndicatorId(normalised)).toBe(normalised);
        expect(normalised).toBe(normaliseIndicatorId(id));
      }),
    );
  });

  test('of any text is known or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(normaliseIndicatorId(normaliseIndicatorId(text))).toBe(normaliseIndicatorId(text));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(UnknownIndicatorError);
        }
      }),
    );
  });
});
