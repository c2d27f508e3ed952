import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logLines } from './agent-log.ts';
import { UnderLoad } from './under-load.ts';

test('the disk under the journal is full in the middle of the work: the agent ends and says why, and started again it goes on', async () => {
  await using work = await UnderLoad.start(5, {});
  const { agent } = work;

  await work.moreEffects(50);
  await work.recorder.fault('the disk is full', true, async () => {
    // As a full disk would, the system refuses what makes the file longer than it is.
    const bytes = statSync(join(agent.journal, 'journal.db-wal')).size;
    execFileSync('prlimit', ['--pid', String(agent.current.pid), `--fsize=${bytes}`]);
    await agent.current.exited;
    expect(logLines(agent, 'the journal cannot be written')).not.toEqual([]);
    await agent.stop();
    await agent.start();
  });
  await work.moreEffects(50);
  expect(await work.verdict()).toBe('');
});
