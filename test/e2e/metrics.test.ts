import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ActivationState } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { freePort } from '../harness/port.ts';
import { ForegroundCli, runCli } from '../harness/run-cli.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const MONITORING = new URL('../../deploy/monitoring/', import.meta.url);

let stack: TestStack;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  // Without the services that trade: their figures are missing, and nothing else is.
  stack = await startStack();
  env = { STRATEGOS_URL: stack.gatewayUrl, STRATEGOS_TOKEN: await stack.token() };
});

afterAll(() => stack[Symbol.asyncDispose]());

/** Value of a series, by its text before the value; undefined when it is not there. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

test('the figures are those of the platform, and what it does not give is missing and said', async () => {
  await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
  await stack.createExecutor('vps-2');
  expect(await runCli(['command', 'send', 'vps-1', 'ping', '--wait', '20s'], env)).toMatchObject({ code: 0 });
  await runCli(['command', 'send', 'vps-2', 'ping'], env);

  const { code, stdout, stderr } = await runCli(['metrics', '--once'], env);
  expect(code).toBe(1);
  expect(stderr).toContain('figures of sessions are missing: this gateway knows no session service');
  const expected: readonly (readonly [series: string, value: number | undefined])[] = [
    ['strategos_up{part="commands"}', 1],
    ['strategos_up{part="executors"}', 1],
    ['strategos_up{part="checks"}', 1],
    ['strategos_up{part="sessions"}', 0],
    ['strategos_up{part="alerts"}', 0],
    ['strategos_sessions{state="active"}', undefined],
    ['strategos_alert_look_seconds', undefined],
    ['strategos_commands_recent{state="succeeded"}', 1],
    ['strategos_commands_recent{state="pending"}', 1],
    ['strategos_commands_recent{state="failed"}', 0],
    ['strategos_commands_recent_by_kind{kind="ping"}', 2],
    ['strategos_command_success_ratio', 1],
    ['strategos_executor_online{executor="vps-1"}', 1],
    ['strategos_executor_online{executor="vps-2"}', 0],
    ['strategos_executor_queued{executor="vps-2"}', 1],
    ['strategos_executor_last_seen_seconds{executor="vps-2"}', undefined],
    ['strategos_executors_complete', 1],
    ['strategos_alerts_complete', undefined],
    ['strategos_check_fault{check="postgres.reachable"}', 0],
  ];
  expect(expected.map(([series]) => [series, valueOf(stdout, series)])).toEqual(expected);
  const lastSeen = valueOf(stdout, 'strategos_executor_last_seen_seconds{executor="vps-1"}') ?? 0;
  expect(Math.abs(Date.now() / 1_000 - lastSeen)).toBeLessThan(60);
  expect(valueOf(stdout, 'strategos_command_latency_seconds{until="finished",percentile="50"}')).toBeGreaterThan(0);
});

test('a scrape is a look of its own: an executor that is disabled is gone from the next, and a platform that is away is told as that', async () => {
  await using gone = await startStack();
  const port = await freePort();
  await using metrics = ForegroundCli.start(['metrics', '--port', String(port)], {
    STRATEGOS_URL: gone.gatewayUrl,
    STRATEGOS_TOKEN: await gone.token(),
  });
  const scrape = async (path = '/metrics'): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  await gone.createExecutor('short-lived');
  await metrics.prints(/figures of .* at http/);
  const first = await scrape();
  expect([first.status, first.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
  expect(valueOf(await first.text(), 'strategos_executor_online{executor="short-lived"}')).toBe(0);
  await gone.replicaExecutorClient(0).disableExecutor({ executor: 'short-lived' });
  expect(await (await scrape()).text()).not.toContain('short-lived');
  expect((await scrape('/')).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(405);

  await gone.gateway?.current.kill();
  const away = async (): Promise<boolean> =>
    valueOf(await (await scrape()).text(), 'strategos_up{part="executors"}') === 0;
  await until(away, 'the figures say that the platform is away', 30_000);
  await until(() => metrics.stderr.includes('figures of executors are missing'), 'the terminal says so');
  metrics.signal('SIGTERM');
  await metrics.ended();
  expect(metrics.code).toBe(0);
});

test('a port that is taken, or none, is told in a sentence', async () => {
  const { port } = new URL(stack.gatewayUrl);
  const taken = await runCli(['metrics', '--port', port], env);
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining(`cannot listen on 127.0.0.1:${port}`)]);
  const none = await runCli(['metrics', '--port', '70000'], env);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--port 70000 is no port')]);
});

test('a strategy that an operator took out of its session is not shown as one that something is missing of', async () => {
  const { panels }: { panels: readonly { title: string; targets: readonly { expr: string }[] }[] } = JSON.parse(
    await readFile(new URL('dashboard.json', MONITORING), 'utf8'),
  );
  const expr = panels.find(({ title }) => title === 'Strategies not active')?.targets[0]?.expr ?? '';
  const [, operator, values = ''] = /state(=~|!~|!=|=)"([^"]*)"/.exec(expr) ?? [];
  const named = new RegExp(`^(${values})$`);
  const states = Object.values(ActivationState).filter((each) => typeof each === 'string');
  const counted = states
    .map((each) => each.toLowerCase())
    .filter((each) => named.test(each) === operator?.startsWith('='));
  expect(counted).toEqual(['pending', 'failed']);
});

describe.each(['dashboard.json', 'rules.yaml'])('%s', (file) => {
  test('asks for figures that there are', async () => {
    const { stdout } = await runCli(['metrics', '--once'], env);
    const names = new Set([...stdout.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const text = await readFile(new URL(file, MONITORING), 'utf8');
    const asked = [...text.matchAll(/strategos_\w+/g)].map(([name]) => name);
    expect(asked.length).toBeGreaterThan(3);
    expect([...new Set(asked)].filter((name) => !names.has(name))).toEqual([]);
  });
});
