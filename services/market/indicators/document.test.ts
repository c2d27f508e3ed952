import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CATALOGUE, idPattern } from './catalogue.ts';
import type { Family } from './family.ts';

/** A family as the document tells of it. */
function section(family: Family): string {
  const { title, description, formula, unit, parameters, outputs, defaultOutput, examples } = family;
  const values = parameters.map(({ defaultValue }) => defaultValue);
  const warmUps = (outputs.length === 0 ? [''] : outputs).map((output) => family.warmUp(values, output));
  const [least, most] = [Math.min(...warmUps), Math.max(...warmUps)];
  const candles = least === most ? `${least}` : `${least} to ${most}`;
  const numbers = parameters.map(
    ({ name, minValue, maxValue, defaultValue, whole }) =>
      `${name} ${minValue} to ${maxValue}${whole ? '' : ', also with a point'}, default ${defaultValue}`,
  );
  const lines = [
    `### ${title}: \`${idPattern(family)}\``,
    '',
    description,
    '',
    `- formula: ${formula}`,
    `- unit: ${unit}; warm-up by default: ${candles} ${most === 1 ? 'candle' : 'candles'}`,
    ...(numbers.length === 0 ? [] : [`- numbers: ${numbers.join('; ')}`]),
    ...(defaultOutput === undefined ? [] : [`- an id that names no value means \`${defaultOutput}\``]),
    `- such as ${examples.map((example) => `\`${example}\``).join(', ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

test('the document lists every indicator as the catalogue has it', async () => {
  const document = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const listed = document.slice(document.indexOf('## Indicators\n') + '## Indicators\n\n'.length);
  expect(listed).toBe(CATALOGUE.map(section).join('\n'));
});
