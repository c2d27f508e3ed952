import { describe, expect, test } from 'vitest';
import { fencedBlocks, wordOf } from './fenced-blocks.ts';
import { parseTranscript, shapeOf } from './transcript.ts';

const ID = '01a1fbf8-bda1-7000-8000-026a822e01f3';

describe('fenced blocks', () => {
  test('have a language, words, a line and a text', () => {
    const [first, second] = fencedBlocks('# A\n\n```console tour terminal=2\n$ a\n\nb\n```\ntext\n```sh\nls\n```\n');
    expect(first).toEqual({ language: 'console', words: ['tour', 'terminal=2'], line: 3, text: '$ a\n\nb' });
    expect(first && wordOf(first, 'terminal')).toBe('2');
    expect(second).toEqual({ language: 'sh', words: [], line: 9, text: 'ls' });
  });

  test('must be closed', () => {
    expect(() => fencedBlocks('a\n```sh\nls\n')).toThrow('line 2');
  });
});

describe('a transcript', () => {
  test('is commands, interrupts and what follows each', () => {
    expect(parseTranscript('$ one \\\n    --more\nout\n\nput\n^C\nstopped\n$ two')).toEqual([
      { command: 'one \\\n    --more', output: 'out\n\nput' },
      { command: undefined, output: 'stopped' },
      { command: 'two', output: '' },
    ]);
  });

  test('begins with a command', () => {
    expect(() => parseTranscript('out\n$ one')).toThrow('output without a command: out');
  });
});

describe('the shape of an output', () => {
  test.each([
    [`id  ${ID}`, 'id  <id>'],
    ['ID                 AGE\na    1.4s   x', 'ID  AGE\na  <duration>  x'],
    ['sent        02:36:12.168 +1 ms', 'sent  <time> <duration>'],
    ['created     2026-11-20 02:39:14.442', 'created  <time>'],
    ['"dueTime": "2026-11-21T02:40:05.122Z", "sequence": "13"', '"dueTime": "<time>", "sequence": "<number>"'],
    ['offline since 09:14:02; expires in 3m58s', 'offline since <time>; expires in <duration>'],
    ['last cursor: AQx_-9', 'last cursor: <cursor>'],
    ['\n\n> start\n\n', '> start'],
  ])('%j', (output, shape) => {
    expect(shapeOf(output).text).toBe(shape);
  });

  test('keeps names, numbers and words apart', () => {
    expect(shapeOf('session s1 at 60000 (0.1 BTC_USDT), 1/3').text).toBe('session s1 at 60000 (0.1 BTC_USDT), 1/3');
    expect(shapeOf('state SUCCEEDED').text).not.toBe(shapeOf('state FAILED').text);
  });

  test('gives the ids in order', () => {
    expect(shapeOf(`a ${ID} b 01a1fbf5f445712386afc972b8bbd733`).ids).toEqual([ID, '01a1fbf5f445712386afc972b8bbd733']);
  });
});
