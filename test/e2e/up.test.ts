import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DataDirectory, dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { derivePorts, PORT_SPAN, requireFree } from '../../deploy/local/platform-ports.ts';
import { LOOPBACK } from '../../deploy/local/port.ts';
import { removeOutsideStore } from '../../deploy/local/postgres-store.ts';
import { livingPid } from '../../deploy/local/process-record.ts';
import { theServers } from '../harness/current-run.ts';
import { freePort } from '../harness/port.ts';
import { ForegroundCli, runCli } from '../harness/run-cli.ts';
import { until } from '../harness/until.ts';

const UP = /Ctrl-C stops everything/;

/** A data folder where the run's leak check looks, and a port with room for those counted up from it. */
async function newPlatform(): Promise<{ data: DataDirectory; port: number } & AsyncDisposable> {
  const stacks = join((await theServers()).directory, 'stacks');
  await mkdir(stacks, { recursive: true });
  const data = dataDirectoryAt(await mkdtemp(join(stacks, 'up-')));
  const port = await until(async () => {
    const candidate = await freePort(PORT_SPAN + 1);
    await requireFree(derivePorts(candidate, { command: 2, evaluator: 1 }), true);
    return candidate;
  }, 'a range of free ports');
  return { data, port, [Symbol.asyncDispose]: () => removeOutsideStore(data.root) };
}

function up({ data, port }: { data: DataDirectory; port: number }, ...flags: string[]): ForegroundCli {
  return ForegroundCli.start(['up', '--data', data.root, '--port', String(port), ...flags]);
}

async function pidOf(data: DataDirectory, name: string): Promise<number> {
  return until(() => livingPid(data.record(name)), `${name} runs`);
}

describe('strategos up', () => {
  test('brings everything up, what it suggests works, and it stops without a trace but its data', async () => {
    await using platform = await newPlatform();
    const { data, port } = platform;
    {
      await using process = up(platform, '--replicas', 'command=2');
      await process.prints(UP);
      expect(process.stdout).toContain(`http://127.0.0.1:${port}`);
      const suggested = [...process.stdout.matchAll(/^ {2}npx strategos (.*)$/gm)].map(([, line]) => line ?? '');
      expect(suggested).toHaveLength(3);
      for (const line of suggested) {
        const result = await runCli(line.split(' '));
        expect(result, line).toMatchObject({ code: 0 });
        expect(result.stdout).toContain('demo');
      }
      // Within a minute of the first start somebody has seen a signal, a position and its exit.
      await until(
        async () => {
          const positions = await runCli(['session', 'positions', '--json', '--data', data.root]);
          return positions.stdout.includes('POSITION_STATE_CLOSED');
        },
        'the demo has closed a position',
        60_000,
      );
      const signals = await runCli(['session', 'signals', '--json', '--data', data.root]);
      expect(signals.stdout).toContain('SIGNAL_STATE_ENTERED');
      for (const secret of ['token', 'internal.token', 'postgres.password', 'demo.credentials.json']) {
        expect((await stat(join(data.root, secret))).mode & 0o777, secret).toBe(0o600);
      }
      process.signal('SIGINT');
      await process.ended();
      expect(process.code).toBe(0);
      expect(process.stderr).toBe('');
    }
    expect(await readdir(data.records)).toEqual([]);
    await requireFree(derivePorts(port, { command: 2, evaluator: 1 }), true);

    // The data are there again, and the demo executor needs no new credential.
    const credentials = await readFile(data.demoCredentialsFile, 'utf8');
    await using again = up(platform);
    await again.prints(UP);
    const listed = await runCli(['command', 'list', '--json', '--data', data.root]);
    const kinds = listed.stdout
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    // What was suggested, and the doctor's own.
    expect(kinds.filter((command) => 'ping' in command)).toHaveLength(2);
    expect(JSON.parse(await readFile(data.demoCredentialsFile, 'utf8')).keyId).toBe(JSON.parse(credentials).keyId);
    again.signal('SIGTERM');
    await again.ended();
    expect(again.code).toBe(0);
  });

  test('a taken port is named, in one sentence, and nothing stays behind', async () => {
    await using platform = await newPlatform();
    const taken = createServer().listen(platform.port + 10, LOOPBACK);
    await once(taken, 'listening');
    await using process = up(platform, '--no-demo');
    await process.ended();
    taken.close();
    expect(process.code).toBe(1);
    expect(process.stderr).toMatch(
      new RegExp(`^error: port ${platform.port + 10} \\(for executors\\) is taken; .*\\n$`),
    );
    expect(await readdir(platform.data.records)).toEqual([]);
  });

  test('killed without warning, it leaves nothing that holds the next one up', async () => {
    await using platform = await newPlatform();
    const { data } = platform;
    {
      await using killed = up(platform, '--no-demo');
      await killed.prints(UP);
      const services = [await pidOf(data, 'command-0'), await pidOf(data, 'gateway')];
      killed.signal('SIGKILL');
      await killed.ended();
      await until(
        async () => {
          const living = await Promise.all([livingPid(data.record('command-0')), livingPid(data.record('gateway'))]);
          return living.every((pid) => pid === undefined);
        },
        `services ${services.join(', ')} end with their parent`,
        15_000,
      );
      expect(await livingPid(data.record('postgres'))).toBeDefined();
    }
    await using next = up(platform, '--no-demo');
    await next.prints(UP);
    next.signal('SIGTERM');
    await next.ended();
    expect(next.code).toBe(0);
    expect(await readdir(data.records)).toEqual([]);
  });

  test('a lost token is recovered, with the platform down and with it up', async () => {
    await using platform = await newPlatform();
    const { data } = platform;
    {
      await using running = up(platform, '--no-demo');
      await running.prints(UP);
      running.signal('SIGTERM');
      await running.ended();
    }
    await rm(data.tokenFile);
    const offline = await runCli(['token', 'recover', '--data', data.root]);
    expect(offline, offline.stderr).toMatchObject({ code: 0 });
    expect((await stat(data.tokenFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(data.records)).toEqual([]);

    await using again = up(platform, '--no-demo');
    await again.prints(UP);
    expect(await runCli(['executor', 'list', '--data', data.root])).toMatchObject({ code: 0 });
    const file = join(data.root, 'rescue.token');
    const online = await runCli(['token', 'recover', '--name', 'rescue', '--out', file, '--data', data.root]);
    expect(online, online.stderr).toMatchObject({ code: 0 });
    const token = (await readFile(file, 'utf8')).trim();
    const status = await runCli(['status', '--json', '--token', token, '--data', data.root]);
    expect(JSON.parse(status.stdout).token).toMatchObject({ name: 'rescue', role: 'ROLE_ADMIN' });
    again.signal('SIGTERM');
    await again.ended();
  });

  test('stopped while it starts, it stops what it has started', async () => {
    await using platform = await newPlatform();
    await using process = up(platform);
    await until(() => livingPid(platform.data.record('postgres')), 'PostgreSQL runs', 30_000);
    process.signal('SIGINT');
    await process.ended();
    expect(process.code).toBe(0);
    expect(await readdir(platform.data.records)).toEqual([]);
  });
});

describe('strategos up, while it runs', () => {
  let platform: Awaited<ReturnType<typeof newPlatform>>;
  let running: ForegroundCli;

  beforeAll(async () => {
    platform = await newPlatform();
    running = up(platform, '--no-demo');
    await running.prints(UP);
  });
  afterAll(async () => {
    try {
      running.signal('SIGTERM');
      await running.ended();
      expect(running.code).toBe(0);
    } finally {
      await running[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
    }
  });

  test('a second one on the same folder is told so, in one sentence', async () => {
    await using second = up({ data: platform.data, port: await freePort() }, '--no-demo');
    await second.ended();
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^error: strategos is already running on .* \(process \d+\); stop it, or .*\n$/);
  });

  test('a crashed service and a crashed database are started again, and said so', async () => {
    const { data } = platform;
    for (const [name, shown] of [
      ['gateway', 'gateway'],
      ['command-0', 'command-0'],
      ['postgres', 'PostgreSQL'],
      ['nats', 'NATS'],
    ] as const) {
      const before = await pidOf(data, name);
      process.kill(before, 'SIGKILL');
      await until(() => running.stderr.includes(`${shown} is running again`), `${shown} is back`, 30_000);
      expect(await pidOf(data, name)).not.toBe(before);
    }
    const created = await until(
      async () => {
        const result = await runCli(['executor', 'create', 'after-crash', '--json', '--data', data.root]);
        return result.code === 0 ? result : undefined;
      },
      'the platform works again',
      30_000,
    );
    expect(JSON.parse(created.stdout).executor.name).toBe('after-crash');
  });
});
