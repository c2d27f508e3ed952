import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Stack } from './lifecycle.ts';

const LIFECYCLE = new URL('./lifecycle.ts', import.meta.url).href;
const LOGGER = new URL('./logger.ts', import.meta.url).href;

describe('Stack', () => {
  test('stops in reverse order, everything even when a part fails, and once', async () => {
    const stopped: string[] = [];
    const stack = new Stack();
    stack.use('a', () => void stopped.push('a'));
    stack.use('b', () => {
      stopped.push('b');
      throw new Error('b is stuck');
    });
    stack.add({ stop: () => void stopped.push('c') });
    await expect(stack.stop()).rejects.toThrow('b is stuck');
    await expect(stack.stop()).rejects.toThrow('b is stuck');
    expect(stopped).toEqual(['c', 'b', 'a']);
  });
});

/** Runs a process whose `start` is the given expression; gives what it said and how it ended. */
async function runForked(start: string, afterReady: 'disconnect' | 'nothing') {
  const directory = await mkdtemp(join(tmpdir(), 'strategos-lifecycle-'));
  try {
    const file = join(directory, 'process.ts');
    await writeFile(
      file,
      `import { runProcess } from '${LIFECYCLE}';
       import { createLogger } from '${LOGGER}';
       const stop = async () => {};
       await runProcess(createLogger('test', 'silent'), ${start});`,
    );
    const child = fork(file, { stdio: 'ignore' });
    const exited = once(child, 'exit');
    const [said] = await once(child, 'message');
    if (afterReady === 'disconnect') child.disconnect();
    const [code] = await exited;
    return { said, code };
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('runProcess', () => {
  test('a start that fails ends with exit code 1 and tells the parent why', async () => {
    const run = await runForked("async () => { throw new Error('no port') }", 'nothing');
    expect(run).toEqual({ said: { ready: false, error: 'no port' }, code: 1 });
  });

  test('a process whose parent is gone stops in order', async () => {
    const run = await runForked(
      '() => { setInterval(() => {}, 1000); return Promise.resolve({ service: { stop }, ports: { main: 1 } }) }',
      'disconnect',
    );
    expect(run).toEqual({ said: { ready: true, ports: { main: 1 } }, code: 0 });
  });
});
