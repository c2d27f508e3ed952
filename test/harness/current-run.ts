import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestServers } from './servers.ts';

const RESULTS_DIRECTORY = 'test-results';

/** The servers that the global set-up of this test run has started. Benchmarks start and pass their own. */
export async function theServers(): Promise<TestServers> {
  const { inject } = await import('vitest');
  return inject('servers');
}

/**
 * Should the current test fail, `print` runs and the logs below `directory` are kept in test-results/. Outside a test (in a
 * hook or a benchmark) there is nothing to hook into, and nothing happens.
 */
export async function onFailureKeep(directory: string, print: () => Promise<void>): Promise<void> {
  const { onTestFailed, TestRunner } = await import('vitest');
  if (TestRunner.getCurrentTest() === undefined) return;
  onTestFailed(async ({ task }) => {
    const name = task.name.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 80);
    const kept = join(RESULTS_DIRECTORY, `${name}-${basename(directory)}`);
    await mkdir(RESULTS_DIRECTORY, { recursive: true });
    await cp(join(directory, 'logs'), kept, { recursive: true });
    process.stderr.write(`logs are kept in ${kept}\n`);
    await print();
  });
}
