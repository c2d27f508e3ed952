import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnv } from '../../services/platform/environment.ts';

/** A busy machine takes its time to load a program. */
const LOAD_MS_MAX = 60_000;
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strategos-gate-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Runs the gate by itself where it has no folder to work in. */
function gate(...args: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  const { PATH, HOME } = readEnv();
  const env = { PATH, HOME, TMPDIR: join(directory, 'nowhere') };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, _, stderr) =>
      resolve({ code: error?.code ?? 0, said: stderr }),
    );
  });
}

test('an option that there is not is no break of a release', { timeout: LOAD_MS_MAX }, async () => {
  const { code, said } = await gate('--junti', 'contracts.xml');
  expect(code).toBe(2);
  expect(said).toContain("contracts: the gate could not be run: Unknown option '--junti'");
});

test('a gate that could not be run leaves no verdicts of an earlier run behind', { timeout: LOAD_MS_MAX }, async () => {
  const junit = join(directory, 'contracts.xml');
  await writeFile(junit, '<testsuites name="contracts"/>\n');
  const { code, said } = await gate('--junit', junit);
  expect(code).toBe(2);
  expect(said).toContain('contracts: the gate could not be run: ');
  expect(await readdir(directory)).toEqual([]);
});
