import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ServiceProcess } from './service-process.ts';

describe('starting a service', () => {
  let directory: string;
  let entry: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'strategos-service-'));
    entry = join(directory, 'part.mjs');
    await writeFile(entry, 'setInterval(() => undefined, 1_000);');
  });

  afterEach(async () => {
    for (const pid of living()) process.kill(pid, 'SIGKILL');
    await rm(directory, { recursive: true });
  });

  /** The processes that run the program. */
  function living(): readonly number[] {
    const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
    return lines.filter((line) => line.includes(entry)).map((line) => Number.parseInt(line, 10));
  }

  test('one that cannot be noted, as on a full disk, is not left behind: no later run would find it', async () => {
    const recordFile = join(directory, 'part.json');
    // Where the note is to be written first.
    await mkdir(`${recordFile}.${process.pid}`);
    const logFile = join(directory, 'part.log');

    await expect(ServiceProcess.start({ name: 'part', entry, env: {}, logFile, recordFile })).rejects.toThrow('EISDIR');
    expect(living()).toEqual([]);
  });
});
