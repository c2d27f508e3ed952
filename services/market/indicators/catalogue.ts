import { AVERAGE_FAMILIES } from './averages.ts';
import { EXTREME_FAMILIES } from './extremes.ts';
import type { Family } from './family.ts';
import { FIELD_FAMILIES } from './fields.ts';
import { OSCILLATOR_FAMILIES } from './oscillators.ts';

/** Every family of indicators. */
export const CATALOGUE: readonly Family[] = [
  ...FIELD_FAMILIES,
  ...AVERAGE_FAMILIES,
  ...OSCILLATOR_FAMILIES,
  ...EXTREME_FAMILIES,
];

/** How ids of a family are written, such as `bollinger_{period}_{deviations}_{upper|middle|lower}`. */
export function idPattern({ family, parameters, outputs }: Family): string {
  const parts = [family, ...parameters.map(({ name }) => `{${name}}`)];
  if (outputs.length > 0) parts.push(`{${outputs.join('|')}}`);
  return parts.join('_');
}
