import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Three projects: `unit` needs nothing but Node, `tidy` reads the tree, `system` starts real servers once for all files
// and works on databases cloned from a migrated template.
/**
 * Real processes, faults and time limits on whatever machine a pipeline gives: a test that fails there is run once more, and
 * the report says so beside its name. At a desk nothing is repeated.
 */
const retry = process.env['CI'] === undefined ? 0 : 1;

// The processes that tests start find their code compiled, as those of `strategos up` do.
process.env['NODE_COMPILE_CACHE'] ||= join(import.meta.dirname, 'node_modules', '.cache', 'strategos');

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['services/**/*.test.ts', 'test/harness/**/*.test.ts', 'deploy/**/*.test.ts'],
          testTimeout: 10_000,
        },
      },
      { test: { name: 'tidy', include: ['test/tidy.test.ts', 'test/documents.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'system',
          include: [
            'test/statements.test.ts',
            'test/{conformance,integration,fault,e2e}/**/*.test.ts',
            'contracts/**/*.test.ts',
          ],
          exclude: ['test/conformance/*-fuzz.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry,
          maxWorkers: 2,
        },
      },
      {
        // A real browser beside real servers: one file at a time, or two cores are too few for their time limits.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          retry,
          maxWorkers: 1,
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
