import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../harness/port.ts';
import { readEnv } from '../../services/platform/environment.ts';
import { runCli, runCliDocument, runCliLines } from '../harness/cli.ts';
import { strategyForm, strategyJson, strategyJsonWith } from '../harness/sample-strategies.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { startStrategyWorld, type StrategyWorld } from '../harness/strategy-world.ts';

let stack: TestStack;
let world: StrategyWorld;
let folder: string;
beforeAll(async () => {
  const port = await freePort();
  stack = await startStack({ gatewayEnv: { STRATEGOS_STRATEGY_URLS: `http://127.0.0.1:${port}` } });
  world = await startStrategyWorld({ port, internalToken: stack.internalToken });
  folder = await mkdtemp(join(tmpdir(), 'strategy-cli-'));
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('strategos strategy', () => {
  test('validates a file, telling every fault, and ends with 1 when it cannot be stored', async () => {
    const sound = await runCli(stack, ['strategy', 'validate', await file('sound.json', strategyJson('sound'))]);
    expect(sound).toMatchObject({ code: 0, stdout: 'sound is valid\n' });
    const wrong = strategyJson('', {
      s1_signal: { conditions: [{ id: 'a', indicatorId: 'x', operator: '~', value: 1 }] },
    });
    const faulty = await runCli(stack, ['strategy', 'validate', await file('wrong.json', wrong)]);
    expect(faulty.code).toBe(1);
    expect(faulty.stdout).toMatch(/fault +strategy_name +is required/);
    expect(faulty.stdout).toMatch(/fault +s1_signal\.conditions\[0\]\.operator +must be one of/);
    expect(faulty.stderr).toContain('cannot be stored: 3 faults');
    expect(await runCli(stack, ['strategy', 'validate', join(folder, 'nowhere.json')])).toMatchObject({ code: 2 });
  });

  test('creates, changes and compares, by name and by file', async () => {
    const path = await file('pump.json', strategyJson('pump'));
    expect((await runCli(stack, ['strategy', 'create', path])).stdout).toMatch(/^created pump \(.+\) at revision 1\n$/);
    const again = await runCli(stack, ['strategy', 'create', path]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('[NAME_TAKEN]');
    expect((await runCli(stack, ['strategy', 'update', path])).stdout).toContain('stays at revision 1');
    await writeFile(path, strategyJsonWith('pump', 7));
    expect((await runCli(stack, ['strategy', 'diff', 'pump', path])).stdout).toBe(
      '~ s1_signal.conditions[cond1].value: 5 → 7\n',
    );
    const updated = await runCliDocument(stack, ['strategy', 'update', 'pump', path, '--revision', '1']);
    expect(updated).toMatchObject({ revision: '2' });
    await writeFile(path, strategyJsonWith('pump', 8));
    const stale = await runCli(stack, ['strategy', 'update', 'pump', path, '--revision', '1']);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain('"pump" is at revision 2, the change was made from 1');
    const history = await runCli(stack, ['strategy', 'diff', 'pump', '--limit', '2']);
    expect(history.stdout).toMatch(/^revision 2, updated .+\n {2}~ s1_signal\.conditions\[cond1\]\.value: 5 → 7\n/);
    expect(history.stdout).toContain('revision 1, created');
    expect(await runCliLines(stack, ['strategy', 'diff', 'pump', '--from', '2', '--to', '1'])).toEqual([
      { path: 's1_signal.conditions[cond1].value', before: '7', after: '5' },
    ]);
  });

  test('exports what was imported, also through pipes', async () => {
    const created = await piped(['strategy', 'create', '-'], strategyJson('piped'));
    expect(created).toMatchObject({ code: 0 });
    const path = join(folder, 'exported.json');
    expect((await runCli(stack, ['strategy', 'get', 'piped', '--out', path])).stdout).toContain(`wrote ${path}`);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(strategyForm('piped'));
    const printed = await runCli(stack, ['strategy', 'get', 'piped', '--out', '-']);
    expect(JSON.parse(printed.stdout)).toEqual(strategyForm('piped'));
    const shown = await runCli(stack, ['strategy', 'get', 'piped']);
    expect(shown.stdout).toMatch(/s1_signal +pump_magnitude_pct >= 5\n/);
    expect(shown.stdout).toMatch(/z1_entry +rsi_14 < 70; 2 % of the equity; stop 5 %; target 10 %\n/);
  });

  test('lists, shows the rollout, and deletes', async () => {
    const rows = await runCliLines(stack, ['strategy', 'list']);
    expect(rows.length).toBeGreaterThan(0);
    expect((await runCli(stack, ['strategy', 'list'])).stdout).toMatch(/^NAME +REVISION +CHANGED +SIGNAL/);
    world.neighbours.answers.caches = [{ replicaId: 'evaluator-0', appliedRevision: 1n, digest: 'old' }];
    const rollout = await runCli(stack, ['strategy', 'rollout']);
    expect(rollout.stdout).toMatch(/evaluator-0 +1 +behind/);
    await piped(['strategy', 'create', '-'], strategyJson('doomed'));
    const { stdout } = await runCli(stack, ['strategy', 'delete', 'doomed']);
    expect(stdout).toMatch(/^deleted doomed/);
    expect(await runCli(stack, ['strategy', 'get', 'doomed'])).toMatchObject({ code: 1 });
  });
});

/** Runs the program with something on its standard input. */
async function piped(args: readonly string[], input: string) {
  const { PATH, HOME } = readEnv();
  const program = fileURLToPath(new URL('../../services/cli/strategos.js', import.meta.url));
  const env = { PATH, HOME, STRATEGOS_URL: stack.gatewayUrl, STRATEGOS_TOKEN: await stack.token(), NO_COLOR: '1' };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
