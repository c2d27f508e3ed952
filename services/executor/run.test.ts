import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { TestPlatform } from './test-platform.ts';

let platform: TestPlatform;
let directory: string;
let children: ChildProcess[];

beforeEach(async () => {
  platform = await TestPlatform.start();
  directory = mkdtempSync(join(tmpdir(), 'strategos-run-'));
  children = [];
  const credentials = { executorName: 'vps-1', keyId: 'k', secret: 'hush-hush', linkUrls: [platform.url] };
  writeFileSync(join(directory, 'vps-1.json'), JSON.stringify(credentials), { mode: 0o600 });
});

afterEach(async () => {
  for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await platform.stop();
  rmSync(directory, { recursive: true });
});

/** The agent as a process of its own, and what it printed. */
function startProcess(env: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { STRATEGOS_CREDENTIALS: join(directory, 'vps-1.json'), ...env },
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

const command = (commandId: string, sequence: bigint) => ({
  commandId,
  attempt: 1,
  sequence,
  orderingKey: '/',
  kind: {
    case: 'openPosition' as const,
    value: { symbol: 'BTC_USDT', side: Side.BUY, quantity: '1', referencePrice: '100' },
  },
  startWithin: durationFromMs(60_000),
  finishWithin: durationFromMs(60_000),
});

test('an agent that is killed between start and effect does what it was told once, after its restart', async () => {
  const first = startProcess({ STRATEGOS_PAPER_LATENCY_MS: '60000' });
  const stream = await platform.stream(0);
  stream.deliver(command('running', 1n), command('waiting', 2n));
  await stream.event('running', 'started');
  await stream.event('waiting', 'received');
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = startProcess();
  const again = await platform.stream(1);
  expect(again.hello.journalId).toBe(stream.hello.journalId);
  expect(again.hello.journal.map(({ commandId, state }) => [commandId, state])).toEqual([
    ['running', CommandState.RUNNING],
    ['waiting', CommandState.RECEIVED],
  ]);
  expect((await again.finished('running')).state).toBe(CommandState.SUCCEEDED);
  expect((await again.finished('waiting')).state).toBe(CommandState.SUCCEEDED);
  again.deliver({ commandId: 'status', attempt: 1, sequence: 3n, kind: { case: 'getStatus', value: {} } });
  expect((await again.finished('status')).result?.status?.positions).toMatchObject([{ quantity: '2' }]);
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
  expect(again.frames.at(-1)?.frame.case).toBe('goodbye');
  expect(first.output() + second.output()).not.toContain('hush');
  expect(statSync(join(directory, 'vps-1.journal')).mode & 0o077).toBe(0);
});

test('a second agent with the same journal ends with a sentence that names the first', async () => {
  const first = startProcess();
  await platform.stream(0);
  const second = startProcess();
  expect(await once(second.child, 'exit')).toEqual([1, null]);
  expect(second.output()).toContain(`is in use by process ${first.child.pid}`);
  expect(readFileSync(join(directory, 'vps-1.journal', 'journal.owner'), 'utf8')).toContain(String(first.child.pid));
});

test('a configuration that cannot be used ends it before anything starts, naming all of it', async () => {
  const { child, output } = startProcess({ STRATEGOS_IN_FLIGHT_MAX: 'many', STRATEGOS_LIMIT_MAX_QUANTITY: '0' });
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output()).toContain('STRATEGOS_IN_FLIGHT_MAX');
  expect(output()).toContain('STRATEGOS_LIMIT_MAX_QUANTITY');
});
