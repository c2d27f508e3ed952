import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/harness/port.ts';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { envToConfig as commandConfig } from '../../services/command/config.ts';
import { startCommandService } from '../../services/command/service.ts';
import { envToConfig as gatewayConfig } from '../../services/gateway/config.ts';
import { startGateway } from '../../services/gateway/service.ts';
import { envToConfig as marketConfig } from '../../services/market/config.ts';
import { startMarketService } from '../../services/market/service.ts';
import type { Caller } from '../../services/platform/grpc/caller.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { envToConfig as sessionConfig } from '../../services/session/config.ts';
import { startSessionService } from '../../services/session/service.ts';
import { envToConfig as strategyConfig } from '../../services/strategy/config.ts';
import { startStrategyService } from '../../services/strategy/service.ts';
import { Clients } from '../../test/harness/clients.ts';
import { createDatabase } from '../../test/harness/database.ts';
import type { TestServers } from '../../test/harness/servers.ts';
import { until } from '../../test/harness/until.ts';

const INTERNAL_TOKEN = 'internal-to-the-contract-gate';
const OPERATOR: Caller = { accountId: 'main', role: 'admin', subject: 'founder' };

/** One replica of the real command service. */
export interface LiveReplica {
  readonly linkUrl: string;
  readonly commandUrl: string;
  /** As a deployment does it: agents are asked to leave first. */
  stop(): Promise<void>;
}

/** The real services in this process, on a database of their own. */
export class LivePlatform implements AsyncDisposable {
  readonly replica: LiveReplica;
  readonly gatewayUrl: string;
  readonly token: string;
  readonly commands;
  readonly executors;
  readonly #stack: Stack;
  readonly #start: () => Promise<LiveReplica>;
  #names = 0;

  private constructor(parts: {
    readonly stack: Stack;
    readonly start: () => Promise<LiveReplica>;
    readonly replica: LiveReplica;
    readonly gatewayUrl: string;
    readonly token: string;
  }) {
    const clients = new Clients();
    parts.stack.use(clients, (opened) => opened[Symbol.dispose]());
    this.#stack = parts.stack;
    this.#start = parts.start;
    this.replica = parts.replica;
    this.gatewayUrl = parts.gatewayUrl;
    this.token = parts.token;
    this.commands = clients.internal(CommandService, parts.replica.commandUrl, INTERNAL_TOKEN, OPERATOR);
    this.executors = clients.internal(ExecutorService, parts.replica.commandUrl, INTERNAL_TOKEN, OPERATOR);
  }

  /** `trading`: with the services that consoles speak to beside commands. */
  static async start(servers: TestServers, { trading = false } = {}): Promise<LivePlatform> {
    const stack = new Stack();
    try {
      const database = stack.use(await createDatabase(servers), (made) => made[Symbol.asyncDispose]());
      const start = (): Promise<LiveReplica> => startReplica(database.url, servers.natsUrl, stack);
      const replica = await start();
      const beside = trading ? await startTrading(database.url, servers.natsUrl, replica, stack) : {};
      const { url, token } = await startDoor(database.url, replica, beside, stack);
      return new LivePlatform({ stack, start, replica, gatewayUrl: url, token });
    } catch (thrown) {
      await stack.stop();
      throw thrown;
    }
  }

  /** Another replica on the same database. */
  anotherReplica(): Promise<LiveReplica> {
    return this.#start();
  }

  /** A name that nobody has got before. */
  newName(prefix: string): string {
    this.#names += 1;
    return `${prefix}-${this.#names}`;
  }

  /** Registers an executor under a name that no other has. */
  async createExecutor(prefix: string): Promise<Credentials> {
    const { credentials } = await this.executors.createExecutor({ name: this.newName(prefix) });
    if (credentials === undefined) throw new Error('an executor was created without credentials');
    return credentials;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.stop();
  }
}

async function startReplica(databaseUrl: string, natsUrl: string, stack: Stack): Promise<LiveReplica> {
  const [port, linkPort] = [await freePort(), await freePort()];
  const { service } = await startCommandService(
    commandConfig({
      DATABASE_URL: databaseUrl,
      NATS_URL: natsUrl,
      STRATEGOS_INTERNAL_TOKEN: INTERNAL_TOKEN,
      STRATEGOS_REPLICA_ID: `gate-${port}`,
      STRATEGOS_COMMAND_PORT: String(port),
      STRATEGOS_LINK_PORT: String(linkPort),
    }),
    createLogger('command', 'silent'),
  );
  stack.add(service);
  return {
    linkUrl: `http://127.0.0.1:${linkPort}`,
    commandUrl: `http://127.0.0.1:${port}`,
    stop: () => service.stop(),
  };
}

/** Strategies, sessions and markets; no evaluator and no price. @returns where the gateway finds them */
async function startTrading(
  databaseUrl: string,
  natsUrl: string,
  { commandUrl }: LiveReplica,
  stack: Stack,
): Promise<Readonly<Record<string, string>>> {
  const [strategy, session, market] = [await freePort(), await freePort(), await freePort()];
  const urls = {
    STRATEGOS_STRATEGY_URLS: `http://127.0.0.1:${strategy}`,
    STRATEGOS_SESSION_URLS: `http://127.0.0.1:${session}`,
    STRATEGOS_MARKET_URLS: `http://127.0.0.1:${market}`,
  };
  const env = {
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    STRATEGOS_INTERNAL_TOKEN: INTERNAL_TOKEN,
    STRATEGOS_COMMAND_URLS: commandUrl,
    STRATEGOS_STRATEGY_PORT: String(strategy),
    STRATEGOS_SESSION_PORT: String(session),
    STRATEGOS_MARKET_PORT: String(market),
    STRATEGOS_EVALUATOR_URLS: '',
    ...urls,
  };
  const started = [
    await startMarketService(marketConfig(env), createLogger('market', 'silent')),
    await startStrategyService(strategyConfig(env), createLogger('strategy', 'silent')),
    await startSessionService(sessionConfig(env), createLogger('session', 'silent')),
  ];
  for (const { service } of started) stack.add(service);
  return urls;
}

async function startDoor(
  databaseUrl: string,
  replica: LiveReplica,
  beside: Readonly<Record<string, string>>,
  stack: Stack,
) {
  const directory = stack.use(await mkdtemp(join(tmpdir(), 'strategos-gate-')), (path) =>
    rm(path, { recursive: true }),
  );
  const tokenFile = join(directory, 'token');
  const port = await freePort();
  const { service } = await startGateway(
    gatewayConfig({
      DATABASE_URL: databaseUrl,
      STRATEGOS_INTERNAL_TOKEN: INTERNAL_TOKEN,
      STRATEGOS_REPLICA_ID: 'gate-gateway',
      STRATEGOS_PORT: String(port),
      STRATEGOS_COMMAND_URLS: replica.commandUrl,
      STRATEGOS_LINK_URLS: replica.linkUrl,
      STRATEGOS_BOOTSTRAP_TOKEN_FILE: tokenFile,
      ...beside,
    }),
    createLogger('gateway', 'silent'),
  );
  stack.add(service);
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/readyz`)).ok, 'the gateway reaches its services');
  return { url, token: (await readFile(tokenFile, 'utf8')).trim() };
}
