import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { logLines } from './agent-log.ts';
import { online } from './observe.ts';
import { Recorder } from './recorder.ts';
import { workload } from './workload.ts';

const disposables = new AsyncDisposableStack();
afterEach(() => disposables.disposeAsync());

test('the disk under the journal is full in the middle of the work: the agent ends and says why, and started again it goes on', async () => {
  const stack = disposables.use(await startStack());
  const recorder = disposables.use(await Recorder.start(stack));
  const agent = recorder.follow(
    await startRecordingAgent(stack, { credentials: await stack.createExecutor('worker') }),
  );
  await online(stack, 'worker');
  const stop = new AbortController();
  const load = workload(recorder, { seed: 5, agents: [agent], clients: 4, signal: stop.signal, thinkMsMax: 10 });
  const moreEffects = async (count: number): Promise<void> => {
    const before = agent.acts('effect').length;
    await until(() => agent.acts('effect').length >= before + count, `${count} more effects`, 30_000);
  };

  await moreEffects(50);
  await recorder.fault('the disk is full', true, async () => {
    // As a full disk would, the system refuses what makes the file longer than it is.
    const bytes = statSync(join(agent.journal, 'journal.db-wal')).size;
    execFileSync('prlimit', ['--pid', String(agent.current.pid), `--fsize=${bytes}`]);
    await agent.current.exited;
    expect(logLines(agent, 'the journal cannot be written')).not.toEqual([]);
    await agent.stop();
    await agent.start();
  });
  await moreEffects(50);
  stop.abort();
  await load;
  expect(await recorder.verdict()).toBe('');
  process.stdout.write(`${recorder.summary}\n`);
});
