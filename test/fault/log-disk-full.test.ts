import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

test('the disk under the logs is full: commands go on, services stop when asked, and the log tells what it lacks', async () => {
  await using stack = await startStack();
  await stack.createExecutor('vps-1');
  const commands = await stack.commandClient();
  const refusal = () => expect(commands.getCommand({ id: 'no id' })).rejects.toThrow('[invalid_argument]');
  const parts = [stack.replica(0), stack.gateway].flatMap((part) =>
    part === undefined ? [] : [{ log: stack.data.log(part.name), process: part.current }],
  );
  const fill = () =>
    Promise.all(parts.map(async ({ log, process }) => limit(process.pid, (await stat(log)).size + 40)));

  await fill();
  for (let sent = 0; sent < 20; sent++) {
    const { command } = await commands.issueCommand({ executor: 'vps-1', kind: { case: 'ping', value: {} } });
    expect(command?.executorName).toBe('vps-1');
    // Both write a line for it.
    await refusal();
  }
  for (const { process } of parts) limit(process.pid, 'unlimited');
  for (const { log } of parts) {
    await until(async () => {
      await refusal();
      return (await readFile(log, 'utf8')).includes('log lines could not be written');
    }, `${log} tells that lines are missing`);
  }

  await fill();
  for (const { process } of parts) {
    process.signal('SIGTERM');
    expect(await process.exited).toEqual({ code: 0, signal: null });
  }
});

/** As a full disk would, the system refuses what makes a file longer than that. */
function limit(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}
