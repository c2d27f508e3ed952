import { createHmac } from 'node:crypto';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { AlertRule, AlertService, AlertState } from '../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import { SettledOutcome } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { reasonOf } from '../../services/platform/grpc/status.ts';
import { online } from '../fault/observe.ts';
import { closePosition, deadlines } from '../fault/wishes.ts';
import { runCli } from '../harness/cli.ts';
import { HttpSink } from '../harness/http-sink.ts';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { SmtpSink } from '../harness/smtp-sink.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const SECRET = 'a-secret-between-two';
const NOTICED_MS_MAX = 30_000;

interface Body {
  readonly id: string;
  readonly kind: string;
  readonly account_id: string;
  readonly rule: string;
  readonly subject: string;
  readonly occurrence: number;
  readonly sentence: string;
}

function bodiesOf(sink: HttpSink): Body[] {
  return sink.posts.map(({ body }): Body => JSON.parse(body));
}

function alertEnv(http: HttpSink, smtp: SmtpSink): Record<string, string> {
  return {
    STRATEGOS_ALERT_WEBHOOK_URL: http.url,
    STRATEGOS_ALERT_WEBHOOK_SECRET: SECRET,
    STRATEGOS_ALERT_SMTP_URL: smtp.url,
    STRATEGOS_ALERT_EMAIL_FROM: 'strategos@example.com',
    STRATEGOS_ALERT_EMAIL_TO: 'desk@example.com,night@example.com',
    STRATEGOS_ALERT_INTERVAL_MS: '100',
    STRATEGOS_ALERT_HOLD_SECONDS: '3',
    STRATEGOS_ALERT_OFFLINE_SECONDS: '0',
    STRATEGOS_ALERT_RECOVER_SECONDS: '0',
  };
}

/** Resolves when the rules have been looked at since now, twice: what was to be told has been written and sent. */
async function looked(stack: TestStack): Promise<void> {
  const alerts = await stack.client(AlertService);
  const lookMs = async (): Promise<number> => Number((await alerts.listAlerts({})).lookTime?.seconds ?? 0n) * 1_000;
  const first = Math.max(await lookMs(), Date.now());
  await until(async () => (await lookMs()) > first + 1_000, 'the rules have been looked at again', NOTICED_MS_MAX);
}

test('an executor that is lost is told once by webhook and e-mail, also over a restart, and so is its return', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  const alerts = await stack.client(AlertService);
  const agent = await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
  const { streamEpoch } = await online(stack, 'vps-1');

  await agent.kill();
  await until(() => http.posts.length > 0 && smtp.mails.length > 0, 'the loss is told', NOTICED_MS_MAX);
  const [fired] = bodiesOf(http);
  expect(fired).toMatchObject({
    kind: 'firing',
    account_id: 'main',
    rule: 'executor_offline',
    subject: 'vps-1',
    occurrence: 1,
  });
  expect(fired?.sentence).toMatch(/^executor vps-1 is offline since /);
  const [post] = http.posts;
  const [, time = '', hex = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(post?.headers['strategos-signature'])) ?? [];
  expect(hex).toBe(createHmac('sha256', SECRET).update(`${time}.${post?.body}`).digest('hex'));
  expect(post?.headers['strategos-notice-id']).toBe(fired?.id);
  expect(smtp.mails[0]).toMatchObject({
    from: 'strategos@example.com',
    to: ['desk@example.com', 'night@example.com'],
  });
  expect(smtp.mails[0]?.data).toContain('Subject: [strategos] ALERT executor offline: vps-1');
  const listed = await alerts.listAlerts({ firingOnly: true });
  expect(listed.channels).toEqual(['webhook', 'email']);
  expect(listed.alerts).toMatchObject([
    { rule: AlertRule.EXECUTOR_OFFLINE, subject: 'vps-1', state: AlertState.FIRING },
  ]);

  await stack.part('alert').kill();
  await stack.part('alert').start();
  await looked(stack);
  expect([http.posts.length, smtp.mails.length]).toEqual([1, 1]);

  await agent.start();
  await online(stack, 'vps-1', { afterEpoch: streamEpoch });
  await until(() => http.posts.length > 1 && smtp.mails.length > 1, 'the return is told', NOTICED_MS_MAX);
  expect(bodiesOf(http)[1]).toMatchObject({ kind: 'recovered', subject: 'vps-1', occurrence: 1 });
  expect(smtp.mails[1]?.data).toContain('Subject: [strategos] RECOVERED executor offline: vps-1');
  await looked(stack);
  expect([http.posts.length, smtp.mails.length]).toEqual([2, 2]);
  const cli = await runCli(stack, ['alert', 'list']);
  expect(cli.stdout).toMatch(/recovered\s+executor offline\s+vps-1/);
});

test('a notice that is not taken is tried again until it is, and the other channel does not wait for it', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  http.refusing = true;
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  const agent = await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
  await online(stack, 'vps-1');
  await agent.kill();
  await until(() => http.refused > 1 && smtp.mails.length > 0, 'the webhook is tried again', NOTICED_MS_MAX);
  http.refusing = false;
  await until(() => http.posts.length > 0, 'the webhook has taken it', NOTICED_MS_MAX);
  expect(bodiesOf(http)).toMatchObject([{ kind: 'firing', subject: 'vps-1' }]);
  expect(smtp.mails).toHaveLength(1);
});

test('both ways to executors are dead: told while no command service and no gateway answer', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  await stack.killReplica(0);
  await until(() => http.posts.length > 0, 'dead delivery is told', NOTICED_MS_MAX);
  expect(bodiesOf(http)).toMatchObject([
    { kind: 'firing', account_id: '', rule: 'delivery_dead', subject: 'platform' },
  ]);
  await stack.replica(0).start();
  await until(() => http.posts.length > 1, 'the return is told', NOTICED_MS_MAX);
  expect(bodiesOf(http)[1]).toMatchObject({ kind: 'recovered', rule: 'delivery_dead' });
});

test('a service that trades is frozen: told with what stands still, and so is its return', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  await looked(stack);
  stack.part('session').pause();
  await until(() => http.posts.length > 0, 'the silence is told', NOTICED_MS_MAX);
  expect(bodiesOf(http)).toMatchObject([
    {
      kind: 'firing',
      account_id: '',
      rule: 'service_down',
      subject: 'session',
      sentence: expect.stringContaining('session does not serve: what strategies decide is not carried out'),
    },
  ]);
  stack.part('session').resume();
  await until(() => http.posts.length > 1, 'the return is told', NOTICED_MS_MAX);
  expect(bodiesOf(http)[1]).toMatchObject({ kind: 'recovered', rule: 'service_down', subject: 'session' });
});

test('the database is away: every channel is told that nobody watches, and that somebody does again', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    postgres: 'own',
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  await looked(stack);
  await stack.postgres?.stop();
  await until(() => http.posts.length > 0 && smtp.mails.length > 0, 'the outage is told', NOTICED_MS_MAX);
  const [told] = bodiesOf(http);
  expect(told).toMatchObject({ kind: 'firing', account_id: '', rule: 'watch_failing', subject: 'platform' });
  // In the words of whoever refused it last: nobody listens any more, or the server is still about to go.
  expect(told?.sentence).toMatch(/cannot watch the platform since .+: .*(?:ECONNREFUSED|shutting down|terminat)/);
  expect(smtp.mails[0]?.data).toContain('Subject: [strategos] ALERT watch failing: platform');
  await stack.postgres?.start();
  const recovered = (): boolean =>
    bodiesOf(http).some(({ kind, rule }) => kind === 'recovered' && rule === 'watch_failing');
  await until(recovered, 'the return is told', NOTICED_MS_MAX);
});

test('an outcome that nobody knows is told until an operator has settled it', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  const agent = await startRecordingAgent(stack, { credentials: await stack.createExecutor('vps-1') });
  await online(stack, 'vps-1');
  const commands = await stack.commandClient();
  agent.control({ hold: 'after' });
  const { command } = await commands.issueCommand({
    executor: 'vps-1',
    ...closePosition('s', 'x', 'BTC'),
    ...deadlines({ finishMs: 300 }),
  });
  const id = command?.id ?? '';
  const stuck = (kind: string): boolean =>
    bodiesOf(http).some((body) => body.kind === kind && body.rule === 'command_stuck' && body.subject === 'vps-1');
  await until(() => stuck('firing'), 'the unknown outcome is told', NOTICED_MS_MAX);
  await looked(stack);
  expect(stuck('recovered')).toBe(false);
  await commands.settleCommand({ id, outcome: SettledOutcome.HAPPENED, note: 'the position is closed' });
  await until(() => stuck('recovered'), 'the alert has ended', NOTICED_MS_MAX);
});

test('a test notice is sent on every channel by an admin alone, and its failure is told', async () => {
  await using http = await HttpSink.start();
  await using smtp = await SmtpSink.start();
  await using stack = await startStack({
    trading: { evaluators: 1 },
    tradingEnv: { alert: alertEnv(http, smtp) },
  });
  const sent = await runCli(stack, ['alert', 'test']);
  expect(sent).toMatchObject({ code: 0 });
  expect(sent.stdout).toContain('webhook: delivered\nemail: delivered');
  expect(bodiesOf(http)).toMatchObject([{ kind: 'test' }]);
  smtp.refusing = true;
  const failed = await runCli(stack, ['alert', 'test']);
  expect(failed.code).toBe(1);
  expect(failed.stdout).toMatch(/email: not delivered: .*451 not now/);
  const { bearer } = await (await stack.accessClient()).createToken({ name: 'look', role: Role.OPERATOR });
  const operator = await stack.client(AlertService, bearer);
  await expect(operator.testAlerts({})).rejects.toMatchObject({ code: Code.PermissionDenied });
  await expect(operator.listAlerts({ pageSize: 1_001 })).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test('without a channel alerts are listed, and a test notice says what to set', async () => {
  await using stack = await startStack({ trading: { evaluators: 1 } });
  const alerts = await stack.client(AlertService);
  expect(await alerts.listAlerts({})).toMatchObject({ alerts: [], channels: [] });
  const refusal = ConnectError.from(await alerts.testAlerts({}).catch((thrown: unknown) => thrown));
  expect([refusal.code, reasonOf(refusal)]).toEqual([Code.FailedPrecondition, 'ALERT_CHANNELS_MISSING']);
});
