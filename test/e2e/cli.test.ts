import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { freePort } from '../harness/port.ts';
import { theServers } from '../harness/current-run.ts';
import { runCli, ForegroundCli, type CliResult } from '../harness/run-cli.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

interface Shell {
  (...args: string[]): Promise<CliResult>;
  readonly env: Readonly<Record<string, string>>;
}

/** One platform for all; each test has an account of its own, where nothing of another's is. */
let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

interface Desk {
  readonly strategos: Shell;
  /** Registers an executor of the account. */
  readonly createExecutor: (name: string) => Promise<Credentials>;
}

/** A new account with the command line of its admin. */
async function openDesk(accountId: string): Promise<Desk> {
  const { bearer } = await (await stack.accessClient()).createAccount({ accountId });
  const executors = stack.replicaExecutorClient(0, { accountId, role: 'admin', subject: 'desk' });
  return {
    strategos: await shellFor(bearer),
    createExecutor: async (name) => {
      const { credentials } = await executors.createExecutor({ name });
      if (credentials === undefined) throw new Error(`executor ${name} was created without credentials`);
      return credentials;
    },
  };
}

/** The command line with the founding token, or another. */
async function shellFor(token?: string): Promise<Shell> {
  const env = { STRATEGOS_URL: stack.gatewayUrl, STRATEGOS_TOKEN: token ?? (await stack.token()) };
  return Object.assign((...args: string[]) => runCli(args, env), { env });
}

function lines(result: CliResult): Record<string, unknown>[] {
  return result.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe('strategos command', () => {
  test('send, wait, get, list, explain and stats tell of one life', async () => {
    const { strategos, createExecutor } = await openDesk('lives');
    await stack.startAgent({ credentials: await createExecutor('vps-1'), name: 'lives-vps-1' });

    const sent = await strategos('command', 'send', 'vps-1', 'Ping', '{"payload": "hello"}', '--wait', '20s', '--json');
    expect(sent, sent.stderr).toMatchObject({ code: 0, stderr: '' });
    const command = JSON.parse(sent.stdout);
    expect(command).toMatchObject({
      executorName: 'vps-1',
      ping: { payload: 'hello' },
      state: 'COMMAND_STATE_SUCCEEDED',
      attempt: 1,
      result: { payload: 'hello' },
    });
    expect(command).not.toHaveProperty('error');
    for (const receipt of ['createTime', 'sentTime', 'receivedTime', 'startTime', 'finishTime']) {
      expect(command[receipt], receipt).toMatch(/^\d{4}-\d\d-\d\dT/);
    }

    expect(JSON.parse((await strategos('command', 'get', command.id, '--json')).stdout)).toMatchObject({
      id: command.id,
    });
    expect((await strategos('command', 'get', command.id)).stdout).toContain('SUCCEEDED');
    const listed = await strategos(
      'command',
      'list',
      '--executor',
      'vps-1',
      '--state',
      'succeeded',
      '--kind',
      'ping',
      '--json',
    );
    expect(lines(listed).map(({ id }) => id)).toEqual([command.id]);
    expect((await strategos('command', 'list', '--state', 'pending')).stdout).toBe('no commands\n');
    const explained = JSON.parse((await strategos('command', 'explain', command.id, '--json')).stdout);
    expect(explained).toMatchObject({ hop: 'HOP_NONE' });
    expect(explained.timeline.map((step: { cause: string }) => step.cause)).toContain('finished');
    expect(JSON.parse((await strategos('command', 'stats', '--window', '1h', '--json')).stdout)).toMatchObject({
      count: '1',
      successRate: 1,
    });
    expect((await strategos('command', 'list', '--quarantined')).stdout).toBe('nothing is in quarantine\n');
  });

  test('the same request id is the same command; another body is refused', async () => {
    const { strategos, createExecutor } = await openDesk('repeats');
    await createExecutor('vps-1');
    const send = (payload: string): Promise<CliResult> =>
      strategos('command', 'send', 'vps-1', 'ping', JSON.stringify({ payload }), '--request-id', 'r-1', '--json');
    const [first, again] = [await send('a'), await send('a')];
    expect(JSON.parse(again.stdout).id).toBe(JSON.parse(first.stdout).id);
    expect(again.stderr).toContain('used before');
    const other = await send('b');
    expect(other.code).toBe(1);
    expect(JSON.parse(other.stderr).error).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'REQUEST_ID_REUSED' });
  });

  test('a wait that runs out says what holds the command up and ends with 4', async () => {
    const { strategos, createExecutor } = await openDesk('waits');
    await createExecutor('vps-1');
    const waited = await strategos('command', 'send', 'vps-1', 'ping', '--wait', '200ms');
    expect(waited.code).toBe(4);
    expect(waited.stderr).toMatch(/waiting for executor vps-1, which has never connected/);
  });

  test('a command that ends without success ends the wait with 1 and the reason', async () => {
    const { strategos, createExecutor } = await openDesk('rejects');
    await stack.startAgent({ credentials: await createExecutor('vps-1'), name: 'rejects-vps-1' });
    const body = JSON.stringify({ session_id: 's-9', symbol: 'BTC_USDT', side: 'buy', quantity: '1' });
    const failed = await strategos('command', 'send', 'vps-1', 'open-position', body, '--wait', '20s');
    expect(failed.code, failed.stderr).toBe(1);
    expect(failed.stderr).toMatch(/ended REJECTED: .*\[TARGET_UNKNOWN/);

    const [rejected] = lines(await strategos('command', 'list', '--state', 'rejected', '--json'));
    const retried = await strategos('command', 'retry', String(rejected?.['id']), '--wait', '20s', '--json');
    expect(retried.code).toBe(1);
    const cancelled = await strategos('command', 'cancel', String(rejected?.['id']));
    expect(cancelled.code).toBe(1);
    expect(cancelled.stderr).toContain('STATE_ILLEGAL');
    expect(JSON.parse(retried.stdout)).toMatchObject({ retryOf: rejected?.['id'], state: 'COMMAND_STATE_REJECTED' });
  });

  test('priority and deadline reach the command; cancel ends what nobody has', async () => {
    const { strategos, createExecutor } = await openDesk('priorities');
    await createExecutor('vps-1');
    const flags = ['--priority', 'critical', '--deadline', '2m', '--json'];
    const sent = await strategos('command', 'send', 'vps-1', 'pause', ...flags);
    const command = JSON.parse(sent.stdout);
    expect(command).toMatchObject({ lane: 'LANE_CRITICAL', state: 'COMMAND_STATE_PENDING' });
    const created = Date.parse(command.createTime);
    expect(Date.parse(command.deadlines.deliverBy) - created).toBe(120_000);
    expect(Math.abs(Date.parse(command.deadlines.notAfter) - created - 120_000)).toBeLessThan(5_000);

    expect((await strategos('command', 'cancel', command.id)).stdout).toContain('cancelled');
  });

  test('a watch ends with Ctrl-C and its cursor carries on where it ended', async () => {
    const { strategos, createExecutor } = await openDesk('watches');
    await createExecutor('vps-1');
    let cursor: string;
    {
      await using watching = ForegroundCli.start(['command', 'watch', '--from-start'], strategos.env);
      await strategos('command', 'send', 'vps-1', 'ping');
      await watching.prints(/ping .*PENDING/);
      watching.signal('SIGINT');
      await watching.ended();
      expect(watching.code).toBe(0);
      cursor = /^last cursor: (\S+)$/m.exec(watching.stderr)?.[1] ?? '';
    }
    await strategos('command', 'send', 'vps-1', 'get_status');
    await using resumed = ForegroundCli.start(['command', 'watch', '--cursor', cursor, '--json'], strategos.env);
    await resumed.prints(/getStatus/);
    expect(resumed.stdout).not.toContain('"ping"');
    resumed.signal('SIGTERM');
    await resumed.ended();
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toBe('');
  });
});

describe('strategos executor', () => {
  test('create writes a private file with which run connects; rotate and disable end it', async () => {
    const { strategos } = await openDesk('executors');
    const file = join(stack.data.root, 'vps-7.json');
    const created = await strategos('executor', 'create', 'vps-7', '--label', 'region=fra', '--out', file, '--json');
    expect(created, created.stderr).toMatchObject({ code: 0 });
    const { secret } = JSON.parse(await readFile(file, 'utf8'));
    expect(secret).not.toBe('');
    expect(created.stdout).not.toContain(secret);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await strategos('executor', 'create', 'vps-8', '--out', file)).toMatchObject({ code: 2 });
    expect((await strategos('executor', 'get', 'vps-8')).stderr).toContain('RESOURCE_NOT_FOUND');

    await using running = ForegroundCli.start(
      ['executor', 'run', '--credentials', file, '--journal', join(stack.data.root, 'vps-7.journal')],
      strategos.env,
    );
    const pinged = await strategos('command', 'send', 'vps-7', 'ping', '--wait', '20s');
    expect(pinged, pinged.stderr).toMatchObject({ code: 0 });
    const [listed] = lines(await strategos('executor', 'list', '--label', 'region=fra', '--json'));
    expect(listed).toMatchObject({ name: 'vps-7', state: 'EXECUTOR_STATE_ONLINE', labels: { region: 'fra' } });
    expect((await strategos('executor', 'list')).stdout).toMatch(/vps-7 +online/);

    const rotated = await strategos('executor', 'rotate', 'vps-7', '--overlap', '1m', '--out', file);
    expect(rotated, rotated.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(file, 'utf8')).secret).not.toBe(secret);
    expect((await strategos('executor', 'disable', 'vps-7')).stdout).toContain('disabled vps-7');
    const refused = await strategos('command', 'send', 'vps-7', 'ping');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('EXECUTOR_DISABLED');

    running.signal('SIGINT');
    await running.ended();
  });
});

describe('strategos token, account and status', () => {
  test('a viewer looks and does not touch; a revoked token is nobody', async () => {
    const { strategos, createExecutor } = await openDesk('viewers');
    await createExecutor('vps-1');
    const made = JSON.parse((await strategos('token', 'create', 'auditor', '--role', 'viewer', '--json')).stdout);
    const viewer = await shellFor(made.bearer);
    expect(await viewer('executor', 'list')).toMatchObject({ code: 0 });
    const refused = await viewer('command', 'send', 'vps-1', 'ping');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/ROLE_INSUFFICIENT[\s\S]*strategos token create/);

    expect(lines(await strategos('token', 'list', '--json')).map(({ name }) => name)).toContain('auditor');
    expect(await strategos('token', 'revoke', 'auditor')).toMatchObject({ code: 0 });
    await until(async () => (await viewer('executor', 'list')).stderr.includes('CREDENTIAL_'), 'the token is refused');
  });

  test('a token is recovered in the database that the environment names', async () => {
    const file = join(stack.data.root, 'rescue.token');
    const recover = ['token', 'recover', '--database', '--name', 'rescue'];
    expect(await runCli([...recover, '--out', file], { DATABASE_URL: stack.databaseUrl })).toMatchObject({ code: 0 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const rescued = await shellFor((await readFile(file, 'utf8')).trim());
    expect((await rescued('status')).stdout).toContain('rescue, admin of account main');
  });

  test('an account of its own sees nothing of the founding one', async () => {
    const strategos = await shellFor();
    await stack.createExecutor('vps-founding');
    const file = join(stack.data.root, 'desk-2.token');
    expect(await strategos('account', 'create', 'desk-2', '--out', file)).toMatchObject({ code: 0 });
    const other = await shellFor((await readFile(file, 'utf8')).trim());
    expect((await other('executor', 'list')).stdout).toMatch(/^no executors/);
    expect((await other('command', 'send', 'vps-founding', 'ping')).stderr).toContain('RESOURCE_NOT_FOUND');
  });

  test('status tells who you are and who is connected; --wait waits', async () => {
    const { strategos, createExecutor } = await openDesk('onlookers');
    await stack.startAgent({ credentials: await createExecutor('vps-1'), name: 'onlookers-vps-1' });
    const status = await until(
      async () => {
        const result = await strategos('status', '--wait', '20s', '--json');
        return result.stdout.includes('EXECUTOR_STATE_ONLINE') ? result : undefined;
      },
      'vps-1 is online',
      20_000,
    );
    expect(JSON.parse(status.stdout)).toMatchObject({
      url: stack.gatewayUrl,
      health: 'SERVING',
      token: { accountId: 'onlookers', role: 'ROLE_ADMIN' },
      executors: [{ name: 'vps-1' }],
    });
    const nowhere = { STRATEGOS_URL: `http://127.0.0.1:${await freePort()}`, STRATEGOS_TOKEN: 'x' };
    expect(await runCli(['status', '--wait', '300ms'], nowhere)).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/not ready: cannot reach the platform/),
    });
    expect(await runCli(['status'], nowhere)).toMatchObject({ code: 1, stderr: expect.stringMatching(/strategos up/) });
  });
});

describe('usage', () => {
  test.each([
    [['command', 'send', 'vps-1'], /missing required argument 'kind'/],
    [['command', 'send', 'vps-1', 'fly'], /no kind "fly"/],
    [['command', 'send', 'vps-1', 'ping', '{'], /cannot be read/],
    [['command', 'send', 'vps-1', 'open_position', '{"quantty": "1"}'], /open_position\.quantty: unknown field/],
    [['command', 'send', 'vps-1', 'ping', '--wait', 'soon'], /"soon" is not a duration/],
    [['command', 'send', 'vps-1', 'ping', '--priority', 'urgent'], /no priority "urgent"/],
    [['command', 'list', '--state', 'done'], /no state "done"/],
    [['command', 'watch', '--cursor', 'x', '--from-start'], /contradict/],
    [['executor', 'run'], /required option '--credentials/],
    [['executor', 'run', '--credentials', '/nowhere.json'], /no such file/],
    [['token', 'create', 'ci', '--role', 'king'], /no role "king"/],
    [['token', 'recover', '--database'], /--database needs --out/],
    [['token', 'recover', '--database', '--out', '/nowhere/x'], /--database needs DATABASE_URL/],
    [['up', '--replicas', 'gateway=2'], /--replicas must be command=N/],
    [['up', '--port', '70000'], /--port/],
    [['fly'], /unknown command 'fly'/],
    [['comand'], /Did you mean command\?/],
    [[], /Usage: strategos/],
  ])('%j ends with 2 and says what is wrong', async (args, message) => {
    const env = { STRATEGOS_URL: 'http://127.0.0.1:1', STRATEGOS_TOKEN: 'x' };
    const result = await runCli(args, env);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  test('help and version are asked for, so they are no failure', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    for (const noun of ['up', 'status', 'executor', 'command', 'token', 'account']) {
      const help = await runCli([noun, '--help']);
      expect(help.code, noun).toBe(0);
      expect(help.stdout).toContain('Usage: strategos');
    }
  });

  test('a server that is no platform gives a sentence, not a trace', async () => {
    const { natsUrl } = await theServers();
    const result = await runCli(['executor', 'list'], {
      STRATEGOS_URL: natsUrl.replace('nats:', 'http:'),
      STRATEGOS_TOKEN: 'x',
    });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^error: .* does not answer like a strategos gateway: .+\n/);
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });
});
