import { createServer } from 'node:http';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { createContextValues } from '@connectrpc/connect';
import { Client as PgClient } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CheckLinkResponse,
  CheckLinkResponseSchema,
  ContractVerdict,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Credentials } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { freePort } from '../harness/port.ts';
import { createGrpcServer } from '../../services/platform/grpc/server.ts';
import { grpcServerLimits } from '../../services/platform/grpc/server-limits.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { online } from '../fault/observe.ts';
import { doctor, executorDoctor, faultsOf, findingOf, saidHello } from '../harness/doctored.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { MINUTE_MS, SERIES_START_MS } from '../harness/trading.ts';
import { until } from '../harness/until.ts';

const SKEW_MS = 90_000;
const DAY_MS = 86_400_000;
const QUEUED_MAX = 10;

function placeOf(url: string | undefined): string {
  return new URL(url ?? '').host;
}

/** A server that speaks HTTP/1.1 and nothing else, as a proxy of a company does. */
async function http1Only(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_, response) => response.writeHead(502).end());
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A platform that answers CheckLink with what it is told, and refuses streams without a Hello as every platform does. */
async function platformThatSays(
  credentials: Credentials,
  answer: MessageInitShape<typeof CheckLinkResponseSchema>,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const port = await freePort();
  const server = createGrpcServer({
    host: '127.0.0.1',
    port,
    logger: createLogger('doctored', 'silent'),
    limits: grpcServerLimits(),
    authenticate: () => Promise.resolve(createContextValues()),
  });
  server.register(ExecutorLinkService, {
    checkLink: (): CheckLinkResponse =>
      create(CheckLinkResponseSchema, {
        executorId: credentials.executorId,
        executorName: credentials.executorName,
        accountId: credentials.accountId,
        platformTime: timestampFromMs(Date.now()),
        contractVerdict: ContractVerdict.CURRENT,
        servedVersions: ['2.0.0'],
        connected: true,
        ...answer,
      }),
  });
  await server.start();
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.stop() };
}

describe('on the agent’s machine', () => {
  let stack: TestStack;
  let credentials: Credentials;

  beforeAll(async () => {
    stack = await startStack();
    credentials = await stack.createExecutor('vps-1');
    await stack.startAgent({ credentials });
    await online(stack, 'vps-1');
  });

  afterAll(() => stack[Symbol.asyncDispose]());

  test('nothing is wrong, and the agent that runs is not disturbed', async () => {
    const before = await online(stack, 'vps-1');
    const diagnosis = await executorDoctor(stack, credentials);
    expect(diagnosis.findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(diagnosis).toMatchObject({ code: 0, healthy: true });
    expect(diagnosis.findings.map(({ step }) => step.split(':', 1)[0])).toEqual([
      'credentials.file',
      'link.dns',
      'link.tcp',
      'link.http2',
      'link.port',
      'link.stream',
      'fallback.dns',
      'fallback.tcp',
      'fallback.http1',
      'credential',
      'account',
      'clock',
      'contract',
      'connection',
    ]);
    const after = await online(stack, 'vps-1');
    expect(after.streamEpoch).toBe(before.streamEpoch);
  });

  test('a wrong key', async () => {
    const diagnosis = await executorDoctor(stack, { ...credentials, secret: 'A'.repeat(43) });
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['credential']);
    expect(findingOf(diagnosis, 'credential').found).toMatch(/^the key is wrong: /);
  });

  test('a revoked key', async () => {
    const revoked = await stack.createExecutor('rotated');
    await stack.replicaExecutorClient(0).rotateCredentials({ executor: 'rotated', overlap: { seconds: 0n } });
    const diagnosis = await executorDoctor(stack, revoked);
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['credential']);
    expect(findingOf(diagnosis, 'credential').found).toMatch(/^key k[0-9a-f]+ was revoked: /);
  });

  test('a file of one executor with the key of another', async () => {
    const other = await stack.createExecutor('vps-2');
    const { keyId, secret } = other;
    const diagnosis = await executorDoctor(stack, { ...credentials, accountId: 'elsewhere', keyId, secret });
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['account']);
    expect(findingOf(diagnosis, 'account').found).toMatch(
      /^the file says account elsewhere, the platform main; the file says executor vps-1, the platform vps-2; /,
    );
  });

  test.each([
    ['the gateway', () => stack.gatewayUrl, 'link.stream'],
    ['a port for the platform itself', () => stack.commandUrls[0] ?? '', 'link.port'],
  ])('a wrong URL: that of %s', async (_, urlOf, step) => {
    const url = urlOf();
    const diagnosis = await executorDoctor(stack, { ...credentials, linkUrls: [url] });
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual([`${step}:${placeOf(url)}`]);
    expect(findingOf(diagnosis, `${step}:${placeOf(url)}`).meaning).toMatch(/^the URL is wrong: /);
  });

  test('a wrong URL at which nobody listens; a second one that works makes it a warning', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const alone = await executorDoctor(stack, { ...credentials, linkUrls: [url] });
    expect(alone.code).toBe(1);
    expect(faultsOf(alone)).toEqual([`link.tcp:${placeOf(url)}`]);
    const withOther = await executorDoctor(stack, { ...credentials, linkUrls: [url, ...credentials.linkUrls] });
    expect(withOther.code).toBe(0);
    expect(findingOf(withOther, `link.tcp:${placeOf(url)}`).verdict).toBe('warning');
  });

  test('HTTP/2 is blocked and the fallback works', async () => {
    await using proxy = await http1Only();
    const diagnosis = await executorDoctor(stack, { ...credentials, linkUrls: [proxy.url] });
    const step = `link.http2:${placeOf(proxy.url)}`;
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual([step]);
    expect(findingOf(diagnosis, step).found).toMatch(/^HTTP\/2 does not get through: /);
    expect(findingOf(diagnosis, step).meaning).toContain('the fallback works');
    expect(findingOf(diagnosis, 'credential').verdict).toBe('ok');
  });

  test('a clock that is wrong', async () => {
    const platformTime = timestampFromMs(Date.now() + SKEW_MS);
    await using platform = await platformThatSays(credentials, { platformTime });
    const diagnosis = await executorDoctor(stack, { ...credentials, linkUrls: [platform.url] });
    expect(diagnosis.code).toBe(1);
    expect(findingOf(diagnosis, 'clock')).toMatchObject({ verdict: 'fault' });
    expect(findingOf(diagnosis, 'clock').found).toMatch(/ behind the platform's$/);
  });

  test.each([ContractVerdict.ENDED, ContractVerdict.UNKNOWN])('a version that is unsupported (%i)', async (verdict) => {
    const supportedUntilTime = timestampFromMs(SERIES_START_MS);
    const answer = { contractVerdict: verdict, supportedUntilTime };
    await using platform = await platformThatSays(credentials, answer);
    const diagnosis = await executorDoctor(stack, { ...credentials, linkUrls: [platform.url] });
    expect(diagnosis.code).toBe(1);
    expect(findingOf(diagnosis, 'contract')).toMatchObject({
      verdict: 'fault',
      next: 'install version 2.0.0 on this machine',
    });
    expect(findingOf(diagnosis, 'contract').found).toMatch(/^this version is unsupported: /);
  });
});

describe('on the platform', () => {
  test('nothing is wrong', async () => {
    await using stack = await startStack();
    await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
    await online(stack, 'vps-1');
    const diagnosis = await doctor(stack);
    expect(diagnosis).toMatchObject({ code: 0, healthy: true });
    for (const step of ['postgres.reachable', 'nats.round_trip', 'clock:vps-1', 'contract:vps-1', 'canary:vps-1']) {
      expect(findingOf(diagnosis, step).verdict, step).toBe('ok');
    }
  });

  test('NATS is down', async () => {
    await using stack = await startStack({ nats: 'own' });
    await stack.nats?.stop();
    const diagnosis = await doctor(stack);
    expect(diagnosis.code).toBe(1);
    expect(findingOf(diagnosis, 'nats.round_trip').verdict).toBe('fault');
  });

  test('Postgres is down', async () => {
    await using stack = await startStack({ postgres: 'own' });
    await stack.postgres?.stop();
    await until(async () => {
      const answer = await fetch(`${stack.gatewayUrl}/readyz`);
      return (await answer.text()).includes('"postgres":"down"');
    }, 'the gateway notices');
    const diagnosis = await doctor(stack);
    expect(diagnosis.code).toBe(1);
    expect(findingOf(diagnosis, 'gateway')).toMatchObject({ verdict: 'fault' });
    expect(findingOf(diagnosis, 'gateway').found).toContain('postgres');
  });

  test('migrations are missing', async () => {
    await using stack = await startStack();
    const client = new PgClient({ connectionString: stack.databaseUrl });
    await client.connect();
    await client.query("DELETE FROM command.schema_migration WHERE name LIKE '%clock_offset'");
    await client.end();
    const diagnosis = await doctor(stack);
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['postgres.migrations']);
    expect(findingOf(diagnosis, 'postgres.migrations').found).toBe('schema "command" lacks 000003_clock_offset');
  });

  test('an agent’s clock is skewed, another’s version is unsupported, and a third one’s queue is full', async () => {
    const commandEnv = { STRATEGOS_CONTRACT_POLICY: 'accept', STRATEGOS_QUEUED_MAX: String(QUEUED_MAX) };
    await using stack = await startStack({ commandEnv });
    const agentTime = timestampFromMs(Date.now() - SKEW_MS);
    await using peers = new AsyncDisposableStack();
    peers.use(await saidHello(await stack.createExecutor('skewed'), { agentTime }));
    peers.use(await saidHello(await stack.createExecutor('stranger'), { contractDigest: 'stranger' }));
    await stack.createExecutor('full');
    const commands = await stack.commandClient();
    const requests = Array.from({ length: QUEUED_MAX }, (_, index) => ({
      executor: 'full',
      requestId: `ping-${index}`,
      kind: { case: 'ping' as const, value: { payload: 'queued' } },
    }));
    await commands.issueCommands({ requests });
    const diagnosis = await doctor(stack, '--no-canary');
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis).toSorted()).toEqual(['clock:skewed', 'contract:stranger', 'executor:full']);
    expect(findingOf(diagnosis, 'clock:skewed').found).toMatch(
      /^the agent's clock is 1m\d+s behind the platform's, or what it said/,
    );
    expect(findingOf(diagnosis, 'contract:stranger').found).toContain('is unsupported');
    expect(findingOf(diagnosis, 'executor:full').found).toBe(
      `its queue is full: ${QUEUED_MAX} commands wait and 0 are in flight, of at most ${QUEUED_MAX}`,
    );
  });

  test('agents call and are refused; one whose executor was disabled is no fault', async () => {
    await using stack = await startStack();
    const mistyped = await stack.createExecutor('mistyped');
    await stack.startAgent({ credentials: { ...mistyped, secret: 'A'.repeat(43) } });
    const hello = { contractDigest: 'stranger', agentVersion: '0.9.0', host: 'old-machine' };
    await expect(saidHello(await stack.createExecutor('stranger'), hello)).rejects.toThrow(/install an agent/);
    const disabled = await stack.createExecutor('disabled');
    await stack.replicaExecutorClient(0).disableExecutor({ executor: 'disabled' });
    await stack.startAgent({ credentials: disabled });
    await stack.createExecutor('quiet');
    const refusals = ['refusal:mistyped', 'refusal:stranger', 'refusal:disabled'];
    const diagnosis = await until(
      async () => {
        const seen = await doctor(stack, '--no-canary');
        return refusals.every((step) => seen.findings.some((finding) => finding.step === step)) && seen;
      },
      'the refusals are known',
      30_000,
    );
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['refusal:stranger']);
    expect(findingOf(diagnosis, 'refusal:mistyped').verdict).toBe('warning');
    expect(findingOf(diagnosis, 'refusal:mistyped').found).toMatch(
      /^somebody with its key is refused since .*: key k[0-9a-f]+ came with a wrong secret \(CREDENTIAL_INVALID\)$/,
    );
    expect(findingOf(diagnosis, 'refusal:stranger').found).toMatch(
      /^an agent with its credential \(version 0\.9\.0 on old-machine\) is refused since .*\(CONTRACT_UNSUPPORTED\)$/,
    );
    expect(findingOf(diagnosis, 'refusal:stranger').next).toContain('can-deploy');
    expect(findingOf(diagnosis, 'refusal:disabled')).toMatchObject({ verdict: 'warning' });
    expect(diagnosis.findings.some(({ step }) => step === 'refusal:quiet')).toBe(false);
  });

  test('the stream is dead and the process lives', async () => {
    await using stack = await startStack();
    const agent = await stack.startAgent({ credentials: await stack.createExecutor('frozen') });
    await online(stack, 'frozen');
    agent.pause();
    const diagnosis = await doctor(stack);
    agent.resume();
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['canary:frozen']);
    expect(findingOf(diagnosis, 'canary:frozen').found).toMatch(/frozen/);
  });

  test('a market is stale', async () => {
    const env = { STRATEGOS_MARKET_STALE_MS_MIN: '200', STRATEGOS_MARKET_BLIND_MS_MIN: '600000' };
    await using stack = await startStack({ trading: { evaluators: 1 }, tradingEnv: { market: env } });
    const markets = await stack.client(MarketService);
    const openMs = [0, 1, 2, 3, 4].map((minute) => SERIES_START_MS + minute * MINUTE_MS);
    // A day in which nothing trades.
    const rows = [...openMs, SERIES_START_MS + DAY_MS].map((ms) => `${ms},100,101,99,100,10`);
    const content = new TextEncoder().encode(['timestamp_ms,open,high,low,close,volume', ...rows].join('\n'));
    await markets.importDataset({ name: 'gap', content });
    await markets.startSource({ symbol: 'GAP', kind: { case: 'replay', value: { dataset: 'gap', speed: 1_000 } } });
    const diagnosis = await until(
      async () => {
        const seen = await doctor(stack, '--no-canary');
        return findingOf(seen, 'market:GAP').found.startsWith('stale') && seen;
      },
      'the market is stale',
      30_000,
    );
    expect(diagnosis.code).toBe(1);
    expect(faultsOf(diagnosis)).toEqual(['market:GAP']);
  });
});
