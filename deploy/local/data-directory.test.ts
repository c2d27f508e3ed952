import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type DataDirectory,
  keptSecret,
  lockDataDirectory,
  makeDataDirectory,
  writePrivate,
} from './data-directory.ts';

test('a file in the place of the data folder is told as that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'below')]) {
    await expect(makeDataDirectory(path)).rejects.toThrow(`${path} cannot be the data folder: a file is in its place`);
  }
  await rm(folder, { recursive: true });
});

test('a folder that cannot be made, or not be written to, is told as that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strategos-unit-'));
  const tooLong = join(folder, 'x'.repeat(300));
  await expect(makeDataDirectory(tooLong)).rejects.toThrow(
    `${tooLong} cannot be the data folder: ENAMETOOLONG: name too long`,
  );
  // Nobody may write below this one, whoever runs the test.
  if (platform() === 'linux') {
    await expect(makeDataDirectory('/sys/kernel')).rejects.toThrow(
      /^\/sys\/kernel cannot be the data folder: it cannot be written to \(E[A-Z]+: [a-z ]+\); name another one with --data DIR$/,
    );
  }
  await rm(folder, { recursive: true });
});

describe('data folder', () => {
  let data: DataDirectory;

  beforeEach(async () => {
    data = await makeDataDirectory(await mkdtemp(join(tmpdir(), 'strategos-unit-')));
  });

  afterEach(() => rm(data.root, { recursive: true }));

  test('one process has it at a time, until it gives it back', async () => {
    const unlock = await lockDataDirectory(data);
    await expect(lockDataDirectory(data)).rejects.toThrow(`already running on ${data.root} (process ${process.pid})`);
    await unlock();
    const again = await lockDataDirectory(data);
    await again();
    expect(await readdir(data.records)).toEqual([]);
  });

  test('the lock of a process that is gone holds nobody up', async () => {
    const unlock = await lockDataDirectory(data);
    await unlock();
    await writeFile(data.record('up'), JSON.stringify({ pid: process.pid, identity: 'another boot/1' }));
    const taken = await lockDataDirectory(data);
    await taken();
  });

  test('of many that come at once exactly one gets it', async () => {
    await writeFile(join(data.root, 'x'), '');
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDirectory(data)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a secret is made once, is long, and is private', async () => {
    const first = await keptSecret(data, 'internal.token');
    expect(await keptSecret(data, 'internal.token')).toBe(first);
    expect(Buffer.from(first, 'base64url')).toHaveLength(32);
    expect(await keptSecret(data, 'other')).not.toBe(first);
    expect((await stat(join(data.root, 'internal.token'))).mode & 0o777).toBe(0o600);
  });

  test('a private file keeps its mode when it replaces an open one', async () => {
    const file = join(data.root, 'token');
    await writeFile(file, 'old', { mode: 0o644 });
    await writePrivate(file, 'new');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
