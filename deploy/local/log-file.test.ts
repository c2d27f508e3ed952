import { appendFileSync, closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogFile, readable } from './log-file.ts';

describe('log file', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
    path = join(directory, 'logs', 'service.log');
  });

  afterEach(() => rm(directory, { recursive: true }));

  test('each run begins a new file, and three earlier ones are kept', async () => {
    for (const run of ['1', '2', '3', '4', '5']) {
      const log = await LogFile.begin(path);
      log.close();
      await writeFile(path, run);
    }
    const kept = await Promise.all(['', '.1', '.2', '.3'].map((age) => readFile(path + age, 'utf8')));
    expect(kept).toEqual(['5', '4', '3', '2']);
    await expect(readFile(`${path}.4`)).rejects.toThrow(/ENOENT/);
  });

  test('what grows too large is moved aside, and a writer with an open descriptor carries on at the start', async () => {
    const log = await LogFile.begin(path, 10);
    await log.append((fd) => appendFileSync(fd, 'short'));
    await log.trim();
    expect(await readFile(path, 'utf8')).toBe('short');
    const writer = openSync(path, 'a');
    appendFileSync(writer, ' and long');
    await log.trim();
    expect(await readFile(`${path}.1`, 'utf8')).toBe('short and long');
    appendFileSync(writer, 'next');
    closeSync(writer);
    expect(await readFile(path, 'utf8')).toBe('next');
    log.close();
  });

  test('the tail is the last lines that say something', async () => {
    const log = await LogFile.begin(path);
    await writeFile(path, 'a\nb\n\nc\n\n');
    expect(await log.tail(2)).toEqual(['b', 'c']);
    log.close();
  });
});

describe('readable', () => {
  test('JSON lines become sentences, stack frames vanish, everything else stays', () => {
    expect(
      readable([
        '{"level":"fatal","time":"2024-01-01T00:00:00Z","service":"command","err":{"message":"no such host"},"msg":"cannot start","port":7}',
        'Error: plain',
        '    at file:///x.ts:1:1',
        '{"half":',
      ]),
    ).toEqual(['fatal: cannot start: no such host port=7', 'Error: plain', '{"half":']);
  });
});
