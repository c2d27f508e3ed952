import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataDirectory, dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import type { NatsServer } from '../../deploy/local/nats-server.ts';
import { freePort } from './port.ts';
import type { Postgres } from '../../deploy/local/postgres.ts';
import {
  commandEnvironment,
  gatewayEnvironment,
  loopbackUrl,
  type SharedEnvironment,
  TRADING_SERVICES,
  tradingEnvironment,
  type TradingService,
} from '../../deploy/local/service-environment.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import type { Stack } from '../../services/platform/lifecycle.ts';
import { Controlled } from './controlled.ts';
import { serviceProgram } from './programs.ts';
import type { TestServers } from './servers.ts';
import { stackDatabase, stackNats } from './stack-servers.ts';

type Env = Readonly<Record<string, string>>;

export interface StackOptions {
  /** Default 1. */
  readonly commandReplicas?: number;
  /** Default true. */
  readonly gateway?: boolean;
  /** With the services that trade, and so many evaluators. Default: none of them. */
  readonly trading?: { readonly evaluators: number };
  /** `own` can be stopped and started by the test; with `none` nothing listens at the address. Default `shared`. */
  readonly nats?: 'shared' | 'own' | 'none';
  /** `own` can be stopped and started by the test. Default `shared`: a database of its own on the run's server. */
  readonly postgres?: 'shared' | 'own';
  /** Added to the environment of every service, of the command replicas, of the gateway. */
  readonly env?: Env;
  readonly commandEnv?: Env;
  readonly gatewayEnv?: Env;
  readonly tradingEnv?: Partial<Readonly<Record<TradingService, Env>>>;
  /** Runs when the database is migrated and no service has started yet. */
  readonly prepare?: (databaseUrl: string) => Promise<void>;
  /** Only outside a test run; a test run's own are known. */
  readonly servers?: TestServers;
}

/** What a stack is made of. */
export interface StackParts {
  readonly data: DataDirectory;
  readonly shared: SharedEnvironment;
  readonly replicas: readonly Controlled<ServiceProcess>[];
  readonly gateway: Controlled<ServiceProcess> | undefined;
  /** The services that trade, by replica: "market", "evaluator-0". */
  readonly trading: ReadonlyMap<string, Controlled<ServiceProcess>>;
  /** Present when the stack has its own. */
  readonly nats: Controlled<NatsServer> | undefined;
  readonly postgres: Controlled<Postgres> | undefined;
}

/** Chooses ports, prepares database and NATS, and makes the services' handles; none of them is started yet. */
export async function assembleStack(options: StackOptions, servers: TestServers, stack: Stack): Promise<StackParts> {
  const stacks = join(servers.directory, 'stacks');
  await mkdir(stacks, { recursive: true });
  const data = dataDirectoryAt(await mkdtemp(join(stacks, 'stack-')));
  const context = { servers, data, stack };
  const database = await stackDatabase(options.postgres ?? 'shared', context);
  await options.prepare?.(database.url);
  const nats = await stackNats(options.nats ?? 'shared', context);
  const replicaPorts = await Promise.all(
    Array.from({ length: options.commandReplicas ?? 1 }, async () => ({
      port: await freePort(),
      linkPort: await freePort(),
    })),
  );
  const gatewayPort = await freePort();
  const tradingPorts = await chooseTradingPorts(options.trading?.evaluators);
  const shared: SharedEnvironment = {
    databaseUrl: database.url,
    natsUrl: nats.url,
    internalToken: `internal-${data.root}`,
    linkUrls: replicaPorts.map(({ linkPort }) => loopbackUrl(linkPort)),
    gatewayUrl: loopbackUrl(gatewayPort),
    serviceUrls: {
      command: replicaPorts.map(({ port }) => loopbackUrl(port)),
      strategy: urlsOf('strategy', tradingPorts),
      market: urlsOf('market', tradingPorts),
      session: urlsOf('session', tradingPorts),
      backtest: urlsOf('backtest', tradingPorts),
      evaluator: urlsOf('evaluator', tradingPorts),
      alert: urlsOf('alert', tradingPorts),
    },
  };
  const handle = (
    name: string,
    service: 'command' | 'gateway' | TradingService,
    env: Env,
  ): Controlled<ServiceProcess> => {
    const program = serviceProgram(service);
    return stack.add(
      new Controlled(name, () =>
        ServiceProcess.start({
          name,
          entry: program.entry,
          env: { ...program.env, STRATEGOS_LOG_LEVEL: 'debug', ...env, ...options.env },
          logFile: data.log(name),
          recordFile: data.record(name),
        }),
      ),
    );
  };
  const replicas = replicaPorts.map((ports, index) => {
    const replicaId = `command-${index}`;
    return handle(replicaId, 'command', {
      ...commandEnvironment(shared, { replicaId, ...ports }),
      ...options.commandEnv,
    });
  });
  const trading = new Map(
    tradingPorts.map(({ service, replicaId, port }) => [
      replicaId,
      handle(replicaId, service, {
        ...tradingEnvironment(service, shared, { replicaId, port }),
        ...options.tradingEnv?.[service],
      }),
    ]),
  );
  const gatewayEnv = gatewayEnvironment(shared, { port: gatewayPort, tokenFile: data.tokenFile });
  const gateway =
    options.gateway === false ? undefined : handle('gateway', 'gateway', { ...gatewayEnv, ...options.gatewayEnv });
  return { data, shared, replicas, gateway, trading, nats: nats.own, postgres: database.own };
}

interface TradingPort {
  readonly service: TradingService;
  readonly replicaId: string;
  readonly port: number;
}

function chooseTradingPorts(evaluators: number | undefined): Promise<TradingPort[]> {
  if (evaluators === undefined) return Promise.resolve([]);
  const wanted = TRADING_SERVICES.flatMap((service): Omit<TradingPort, 'port'>[] =>
    service === 'evaluator'
      ? Array.from({ length: evaluators }, (_, index) => ({ service, replicaId: `${service}-${index}` }))
      : [{ service, replicaId: service }],
  );
  return Promise.all(wanted.map(async (each) => ({ ...each, port: await freePort() })));
}

function urlsOf(service: TradingService, ports: readonly TradingPort[]): string[] {
  return ports.filter((each) => each.service === service).map(({ port }) => loopbackUrl(port));
}
