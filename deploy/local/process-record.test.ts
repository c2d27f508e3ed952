import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endRecorded, livingPid, processIdentity, writeRecord } from './process-record.ts';

const KILL = [{ signal: 'SIGTERM', waitMs: 5_000 }] as const;

describe('process records', () => {
  let directory: string;
  let child: ChildProcess;
  let pid: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
    child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    pid = child.pid ?? 0;
  });

  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true });
  });

  test('a noted process is found while it lives, and not afterwards', async () => {
    const file = join(directory, 'run', 'service.json');
    await writeRecord(file, pid);
    expect(await livingPid(file)).toBe(pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await livingPid(file)).toBeUndefined();
  });

  test('ending a noted process ends it and removes the note', async () => {
    const file = join(directory, 'service.json');
    await writeRecord(file, pid);
    const exited = once(child, 'exit');
    await endRecorded(file, KILL);
    await exited;
    expect(child.signalCode).toBe('SIGTERM');
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });

  test('a paused process is woken to end', async () => {
    const file = join(directory, 'service.json');
    await writeRecord(file, pid);
    child.kill('SIGSTOP');
    const exited = once(child, 'exit');
    await endRecorded(file, KILL);
    await exited;
  });

  test('another process that got the same pid is left alone', async () => {
    const file = join(directory, 'service.json');
    await writeFile(file, JSON.stringify({ pid, identity: 'another boot/1' }));
    await endRecorded(file, KILL);
    expect(await processIdentity(pid)).toBeDefined();
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });

  test.each(['', 'not json', '{"pid": 1, "identity": "x"}', '{"pid": "7"}', '[]'])(
    'a note that says %j names nobody',
    async (text) => {
      const file = join(directory, 'service.json');
      await writeFile(file, text);
      expect(await livingPid(file)).toBeUndefined();
      await endRecorded(file, KILL);
    },
  );
});
