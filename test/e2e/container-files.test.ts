import { cp, mkdir, mkdtemp, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { NODE_FLAGS, ServiceProcess } from '../../deploy/local/service-process.ts';
import { builtConsole } from '../../services/gateway/edge/console-build.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { type ComposeService, composeServices, OneMachine } from '../harness/compose.ts';
import { theServers } from '../harness/current-run.ts';
import { createDatabase } from '../harness/database.ts';
import { ForegroundCli, runCli } from '../harness/run-cli.ts';
import { until } from '../harness/until.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const DOCKERFILE = join(REPOSITORY, 'deploy/container/Dockerfile');
const VARIABLES = { STRATEGOS_POSTGRES_PASSWORD: 'pg', STRATEGOS_INTERNAL_TOKEN: 't'.repeat(32) };

/** Of the second stage, from the repository: each a file or a folder. */
async function copied(): Promise<string[]> {
  const text = await readFile(DOCKERFILE, 'utf8');
  const stage = text.slice(text.lastIndexOf('\nFROM '));
  return [...stage.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
}

/** What is in the image, in a folder of its own. */
async function imageFolder(root: string): Promise<string> {
  const folder = join(root, 'image');
  await mkdir(folder);
  for (const path of await copied()) await cp(join(REPOSITORY, path), join(folder, path), { recursive: true });
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe('the image', () => {
  test('starts Node as everything else does', async () => {
    const [, words = ''] = /^ENTRYPOINT (.*)$/m.exec(await readFile(DOCKERFILE, 'utf8')) ?? [];
    expect(JSON.parse(words)).toEqual(['node', '--disable-warning=ExperimentalWarning', ...NODE_FLAGS]);
  });

  test('serves the console that it was built with, whoever runs it', async () => {
    const { mode } = await stat(await builtConsole());
    expect((mode & 0o777).toString(8)).toBe('755');
  });

  test('is built from what its ignore file lets through', async () => {
    const ignored = await readFile(`${DOCKERFILE}.dockerignore`, 'utf8');
    for (const path of await copied()) expect(ignored).toContain(`\n!${path}\n`);
  });
});

describe('the compose file', () => {
  test('refuses to start without its secrets, and says which', () => {
    expect(() => composeServices({ STRATEGOS_INTERNAL_TOKEN: 't' })).toThrow('STRATEGOS_POSTGRES_PASSWORD is required');
  });

  test('publishes nothing but the door and the executor ports, to this machine alone', () => {
    const published = [...composeServices(VARIABLES)].flatMap(([name, { ports }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([
      ['command-1', '127.0.0.1:7080:7080'],
      ['command-2', '127.0.0.1:7081:7080'],
      ['gateway', '127.0.0.1:7070:7070'],
    ]);
  });

  test('makes a platform that the doctor finds healthy, and whose executors are reached on either port', async () => {
    await using stack = new Stack();
    const { directory, natsUrl } = await theServers();
    const root = await mkdtemp(join(directory, 'compose-'));
    const data = dataDirectoryAt(root);
    const image = await imageFolder(root);
    const database = stack.use(await createDatabase(), (made) => made[Symbol.asyncDispose]());
    const all = composeServices(VARIABLES);
    const ours = new Map([...all].filter(([, { image: name }]) => name === 'strategos'));
    expect([...all.keys()].filter((name) => !ours.has(name))).toEqual(['postgres', 'nats']);
    const machine = await OneMachine.plan(ours, [
      [/^postgres:\/\/strategos:pg@postgres:5432\/strategos$/, database.url],
      [/^nats:\/\/nats:4222$/, natsUrl],
      [/^\/var\/lib\/strategos\//, `${root}/`],
    ]);

    const start = async ([name, service]: readonly [string, ComposeService]): Promise<void> => {
      const entry = join(image, service.command.join(' '));
      const env = machine.environment(name, service);
      const files = { logFile: data.log(name), recordFile: data.record(name) };
      stack.add(await ServiceProcess.start({ name, entry, env, ...files }));
    };
    for (const one of ours) await start(one);

    const token = (await readFile(join(root, 'token'), 'utf8')).trim();
    const env = { STRATEGOS_URL: `http://127.0.0.1:${machine.published(7070)}`, STRATEGOS_TOKEN: token };
    expect(await runCli(['status', '--wait', '30s'], env)).toMatchObject({ code: 0 });
    const checked = await runCli(['doctor'], env);
    expect(checked, checked.stdout).toMatchObject({ code: 0 });

    for (const [name, port] of [
      ['vps-1', 7080],
      ['vps-2', 7081],
    ] as const) {
      const file = join(root, `${name}.json`);
      expect(await runCli(['executor', 'create', name, '--out', file], env)).toMatchObject({ code: 0 });
      expect(await readFile(file, 'utf8')).toContain(`http://127.0.0.1:${machine.published(port)}`);
      await using agent = ForegroundCli.start(['executor', 'run', '--credentials', file], {
        STRATEGOS_LINK_URLS: `http://127.0.0.1:${machine.published(port)}`,
      });
      const online = async (): Promise<boolean> => {
        const { stdout } = await runCli(['executor', 'get', name, '--json'], env);
        return stdout.includes('EXECUTOR_STATE_ONLINE');
      };
      await until(online, `${name} is online`, 30_000);
      expect(await runCli(['command', 'send', name, 'ping', '--wait', '20s'], env)).toMatchObject({ code: 0 });
      agent.signal('SIGINT');
      await agent.ended();
    }
  });
});
