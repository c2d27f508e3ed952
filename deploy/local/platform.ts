import { readEnv } from '../../services/platform/environment.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { type Running, Stack } from '../../services/platform/lifecycle.ts';
import {
  type DataDirectory,
  keptSecret,
  lockDataDirectory,
  makeDataDirectory,
  writePrivate,
} from './data-directory.ts';
import { DEMO_EXECUTOR, DemoExecutor } from './demo-executor.ts';
import { KeptRunning } from './keep-running.ts';
import { NatsServer, natsAnswers } from './nats-server.ts';
import { derivePorts, type PlatformPorts, type Replicas, requireFree } from './platform-ports.ts';
import { Postgres } from './postgres.ts';
import { POSTGRES_LEFTOVER_STEPS } from './postgres-cluster.ts';
import { endLeftovers, readIfThere } from './process-record.ts';
import {
  commandEnvironment,
  gatewayEnvironment,
  loopbackUrl,
  type SharedEnvironment,
  serviceEntry,
  alertSettings,
  TRADING_SERVICES,
  tradingEnvironment,
  type TradingService,
} from './service-environment.ts';
import { LEFTOVER_STEPS, ServiceProcess, type ServiceProcessOptions } from './service-process.ts';

/** The one database of a local platform; every service has a schema of its own in it. */
export const PLATFORM_DATABASE = 'strategos';

export interface PlatformOptions {
  readonly dataDirectory: string;
  /** The gateway's; the others are counted up from it. */
  readonly port: number;
  readonly replicas: Replicas;
  /** Whether to run a paper executor named "demo" beside the services, on a simulated market with a sample strategy. */
  readonly demo: boolean;
  /** One line for people: a restart, for example. */
  readonly report: (line: string) => void;
  /** Aborted: whatever has been started so far is stopped and starting fails. */
  readonly signal?: AbortSignal;
}

/** Something that listens, or connects, for the overview that is printed at the start. */
export interface PlatformPart {
  readonly name: string;
  readonly address: string;
  readonly note: string;
}

export interface Platform extends Running {
  readonly url: string;
  readonly data: DataDirectory;
  readonly parts: readonly PlatformPart[];
}

/**
 * Brings the whole platform up on this machine and resolves when the gateway answers and the demo executor is started:
 * PostgreSQL, NATS (unless NATS_URL names one), the services and their replicas, each as a process of its own that is started
 * again when it crashes. Stops in the opposite order.
 * @throws Error in one sentence: data folder in use, ports taken, no nats-server, or a service's own words.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const stack = new Stack();
  try {
    return await start(options, stack);
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}

async function start(options: PlatformOptions, stack: Stack): Promise<Platform> {
  const { report, signal } = options;
  const ports = derivePorts(options.port, options.replicas);
  const data = await makeDataDirectory(options.dataDirectory);
  stack.use(await lockDataDirectory(data), (unlock) => unlock());
  await endLeftovers(data.records, (name) => (name === 'postgres' ? POSTGRES_LEFTOVER_STEPS : LEFTOVER_STEPS));
  const givenNatsUrl = readEnv()['NATS_URL'];
  await requireFree(ports, givenNatsUrl === undefined || givenNatsUrl === '');

  signal?.throwIfAborted();
  const postgres = stack.add(
    await KeptRunning.start('PostgreSQL', () => Postgres.start({ data, port: ports.postgres }), report),
  );
  await postgres.part.ensureDatabase(PLATFORM_DATABASE);
  const natsUrl = await startNats(stack, data, ports.nats, givenNatsUrl, report);

  const shared: SharedEnvironment = {
    databaseUrl: postgres.part.url(PLATFORM_DATABASE),
    natsUrl,
    internalToken: await keptSecret(data, 'internal.token'),
    linkUrls: ports.links.map(loopbackUrl),
    gatewayUrl: loopbackUrl(ports.gateway),
    serviceUrls: {
      command: ports.commands.map(loopbackUrl),
      strategy: [loopbackUrl(ports.strategy)],
      market: [loopbackUrl(ports.market)],
      session: [loopbackUrl(ports.session)],
      backtest: [loopbackUrl(ports.backtest)],
      evaluator: ports.evaluators.map(loopbackUrl),
      alert: [loopbackUrl(ports.alert)],
    },
  };
  const keep = (name: string, service: Pick<ServiceProcessOptions, 'entry' | 'env' | 'args'>) =>
    KeptRunning.start(
      name,
      () => ServiceProcess.start({ name, ...service, logFile: data.log(name), recordFile: data.record(name) }),
      report,
    );

  for (const [index, port] of ports.commands.entries()) {
    signal?.throwIfAborted();
    const replicaId = `command-${index}`;
    const linkPort = ports.links[index] ?? 0;
    const env = commandEnvironment(shared, { replicaId, port, linkPort });
    stack.add(await keep(replicaId, { entry: serviceEntry('command'), env }));
  }
  signal?.throwIfAborted();
  const trading = TRADING_SERVICES.flatMap((service) => replicasOf(service, ports));
  const outcomes = await Promise.allSettled(
    trading.map(async ({ service, replicaId, port }) => {
      const settings = service === 'alert' ? alertSettings(readEnv()) : {};
      const env = { ...settings, ...tradingEnvironment(service, shared, { replicaId, port }) };
      stack.add(await keep(replicaId, { entry: serviceEntry(service), env }));
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  signal?.throwIfAborted();
  const gatewayEnv = gatewayEnvironment(shared, { port: ports.gateway, tokenFile: data.tokenFile });
  stack.add(await keep('gateway', { entry: serviceEntry('gateway'), env: gatewayEnv }));
  await writePrivate(data.urlFile, `${shared.gatewayUrl}\n`);

  signal?.throwIfAborted();
  if (options.demo) {
    const { gatewayUrl, linkUrls } = shared;
    using demo = new DemoExecutor(gatewayUrl, (await readIfThere(data.tokenFile))?.trim() ?? '');
    await demo.ensureCredentials(data.demoCredentialsFile, linkUrls, gatewayUrl);
    const env = { STRATEGOS_CREDENTIALS: data.demoCredentialsFile, STRATEGOS_JOURNAL: data.demoJournal };
    stack.add(await keep('executor-demo', { entry: serviceEntry('executor'), env }));
    if (await demo.isConnected()) {
      await demo.trade().catch((thrown: unknown) => report(`the demo does not trade: ${messageOf(thrown)}`));
    } else report(`executor ${DEMO_EXECUTOR} is not connected yet; see ${data.log('executor-demo')}`);
  }

  return {
    url: shared.gatewayUrl,
    data,
    parts: [
      {
        name: 'gateway',
        address: shared.gatewayUrl,
        note: 'console for browsers; gRPC, gRPC-Web and Connect JSON for programs',
      },
      ...ports.commands.map((port, index) => ({
        name: `command-${index}`,
        address: loopbackUrl(ports.links[index] ?? 0),
        note: `for executors; internal port ${port}`,
      })),
      ...trading.map(({ replicaId, service, port }) => ({
        name: replicaId,
        address: loopbackUrl(port),
        note: TRADING_NOTES[service],
      })),
      { name: 'postgres', address: `127.0.0.1:${ports.postgres}`, note: `database ${PLATFORM_DATABASE}` },
      {
        name: 'nats',
        address: natsUrl,
        note: givenNatsUrl === natsUrl ? 'from NATS_URL' : 'doorbell between replicas',
      },
      ...(options.demo
        ? [{ name: 'executor-demo', address: '', note: `paper executor, connected as ${DEMO_EXECUTOR}` }]
        : []),
    ],
    stop: () => stack.stop(),
    [Symbol.asyncDispose]: () => stack.stop(),
  };
}

const TRADING_NOTES: Readonly<Record<TradingService, string>> = {
  strategy: 'definitions and their revisions',
  market: 'prices and indicators',
  session: 'sessions, signals and positions',
  backtest: 'strategies on stored prices',
  evaluator: 'instances of strategies',
  alert: 'tells what breaks: strategos alert list',
};

function replicasOf(
  service: TradingService,
  ports: PlatformPorts,
): { readonly service: TradingService; readonly replicaId: string; readonly port: number }[] {
  const own = service === 'evaluator' ? ports.evaluators : [ports[service]];
  return own.map((port, index) => ({
    service,
    replicaId: own.length === 1 ? service : `${service}-${index}`,
    port,
  }));
}

async function startNats(
  stack: Stack,
  data: DataDirectory,
  port: number,
  givenUrl: string | undefined,
  report: (line: string) => void,
): Promise<string> {
  if (givenUrl !== undefined && givenUrl !== '') {
    const [first = givenUrl] = givenUrl.split(',');
    if (!(await natsAnswers(first))) {
      report(`nothing answers at NATS_URL ${first}; commands reach other replicas up to a second later until it does`);
    }
    return givenUrl;
  }
  const nats = await KeptRunning.start('NATS', () => NatsServer.start({ data, port }), report);
  return stack.add(nats).part.url;
}
