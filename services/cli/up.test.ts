import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { typed } from './up.ts';

test.each(['/srv/strategos', '.', '/srv/my data', "/srv/o'neill $HOME", '/srv/dä ta;x'])(
  'the folder %s arrives whole when the suggested command is typed',
  (path) => {
    expect(execFileSync('sh', ['-c', `printf %s ${typed(path)}`], { encoding: 'utf8' })).toBe(path);
  },
);

test('a plain path is shown plain', () => {
  expect(typed('../strategos-2.d')).toBe('../strategos-2.d');
});
