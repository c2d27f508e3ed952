import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { derivePorts, PORT_SPAN, requireFree } from '../../deploy/local/platform-ports.ts';
import { removeOutsideStore } from '../../deploy/local/postgres-store.ts';
import { livingPid, readIfThere } from '../../deploy/local/process-record.ts';
import { theServers } from '../harness/current-run.ts';
import { freePort } from '../harness/port.ts';
import { until } from '../harness/until.ts';

const PROGRAM = fileURLToPath(new URL('../../services/cli/strategos.js', import.meta.url));
const REPLICAS = { command: 1, evaluator: 1 };

test('the disk that the output of `strategos up` goes to is full: the platform runs on, and stops in order when told to', async () => {
  const stacks = join((await theServers()).directory, 'stacks');
  await mkdir(stacks, { recursive: true });
  const data = dataDirectoryAt(await mkdtemp(join(stacks, 'output-')));
  const port = await until(async () => {
    const candidate = await freePort(PORT_SPAN + 1);
    await requireFree(derivePorts(candidate, REPLICAS), true);
    return candidate;
  }, 'a range of free ports');
  await using full = await open('/dev/full', 'w');
  const up = spawn(process.execPath, [PROGRAM, 'up', '--no-demo', '--data', data.root, '--port', String(port)], {
    stdio: ['ignore', full.fd, full.fd],
  });
  const exited = once(up, 'exit');
  try {
    const url = await until(() => running(up) && readIfThere(data.urlFile), 'the platform is up', 60_000);
    // Its end is told, into the full disk, and mended.
    const gateway = await until(() => livingPid(data.record('gateway')), 'the gateway runs');
    process.kill(gateway, 'SIGKILL');
    await until(async () => (await fetch(`${url.trim()}/readyz`)).ok, 'the gateway runs again', 30_000);
    expect(await livingPid(data.record('gateway'))).not.toBe(gateway);

    up.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await readdir(data.records)).toEqual([]);
  } finally {
    if (up.kill('SIGKILL')) await exited;
    await removeOutsideStore(data.root);
  }
});

/** @throws Error when it has ended. */
function running(process: ReturnType<typeof spawn>): true {
  if (process.exitCode !== null) throw new Error(`it has ended with code ${process.exitCode}`);
  return true;
}
