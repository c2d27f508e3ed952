import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readEnv } from '../platform/environment.ts';

const run = promisify(execFile);
/** Whole programs start here, beside whatever else the machine does. */
const TEST_MS_MAX = 60_000;
const PROGRAM = join(import.meta.dirname, 'strategos.js');

/** Runs a script with compiled code kept in `cache`. */
function node(cache: string, ...args: string[]) {
  const { PATH, HOME } = readEnv();
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE: cache },
  });
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-compiled-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

describe('compiled code', { timeout: TEST_MS_MAX }, () => {
  test('is kept where the user says, and the program does the same with it', async () => {
    const cache = join(await temporaryDirectory(), 'kept');
    const first = await node(cache, PROGRAM, '--version');
    const kept = await readdir(cache, { recursive: true });
    expect(kept.length).toBeGreaterThan(100);
    expect(await node(cache, PROGRAM, '--version')).toEqual(first);
    expect(await readdir(cache, { recursive: true })).toEqual(kept);
  });

  test('is done without, silently, where it cannot be kept', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    expect(await node(join(file, 'kept'), PROGRAM, '--version')).toEqual({
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('is never that of another source, not even one of the same length and time', async () => {
    const directory = await temporaryDirectory();
    const cache = join(directory, 'kept');
    const script = join(directory, 'script.ts');
    await writeFile(script, 'const answer: number = 1;\nconsole.log(answer);\n');
    const { atime, mtime } = await stat(script);
    await node(cache, script);
    expect(await node(cache, script)).toMatchObject({ stdout: '1\n' });
    await writeFile(script, 'const answer: number = 2;\nconsole.log(answer);\n');
    await utimes(script, atime, mtime);
    expect(await node(cache, script)).toMatchObject({ stdout: '2\n' });
  });
});
