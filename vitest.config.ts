import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { FileOrder } from './test/harness/file-order.ts';

/**
 * Real processes, faults and time limits on whatever machine a pipeline gives: a test that fails there is run once more, and
 * the report says so beside its name. At a desk nothing is repeated.
 */
const retry = process.env['CI'] === undefined ? 0 : 1;

// The processes that tests start find their code compiled, as those of `strategos up` do.
process.env['NODE_COMPILE_CACHE'] ||= join(import.meta.dirname, 'node_modules', '.cache', 'strategos');

/** All projects run beside each other: twice as many files as a small machine has cores, for half of them wait. */
const maxWorkers = 4;

// `unit` needs nothing but Node, `tidy` reads the tree, `system` starts real servers once for all files and works on databases
// cloned from a migrated template, and `browser` drives a real one beside such servers.
export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: FileOrder },
    // Node runs the tests' TypeScript as it runs the services': a second loader cost each file more than starting it.
    experimental: { viteModuleRunner: false },
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['services/**/*.test.ts', 'test/harness/**/*.test.ts', 'deploy/**/*.test.ts'],
          testTimeout: 30_000,
          retry,
          // Most of them are pure, and done before a process of their own would have started.
          isolate: false,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'tidy',
          include: ['test/tidy.test.ts', 'test/documents.test.ts'],
          testTimeout: 60_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'system',
          include: [
            'test/statements.test.ts',
            'test/{conformance,integration,fault,e2e}/**/*.test.ts',
            'contracts/**/*.test.ts',
          ],
          exclude: ['test/conformance/*-fuzz.test.ts'],
          // What is under test runs in processes of its own; with both, 39 files took 156 s of processor time instead of 188.
          isolate: false,
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          isolate: false,
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          retry,
          maxWorkers,
        },
      },
      {
        // Attacks bound a healthy peer's latency, which only a machine that does nothing else can keep: `npm run fuzz`.
        test: {
          name: 'fuzz',
          include: ['test/conformance/*-fuzz.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
