import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

/** What a logger of this level writes for one information and one detail. */
function written(level: string): string[] {
  const lines: string[] = [];
  const logger = createLogger('test', level, { write: (line) => lines.push(line) });
  logger.info('told');
  logger.debug('detail');
  return lines.map((line) => String(JSON.parse(line).msg));
}

test('a level that exists is kept', () => {
  expect(written('debug')).toEqual(['told', 'detail']);
  expect(written('error')).toEqual([]);
  expect(written('silent')).toEqual([]);
});

test.each(['', ' ', 'loud', 'INFO', 'toString'])(
  'a level that does not exist, %j, is no crash: it counts as info',
  (level) => {
    expect(written(level)).toEqual(['told']);
  },
);
