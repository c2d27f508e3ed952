import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type DataDirectory, dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { readable } from '../../deploy/local/log-file.ts';
import type { NatsServer } from '../../deploy/local/nats-server.ts';
import { freePort } from '../../deploy/local/port.ts';
import type { Postgres } from '../../deploy/local/postgres.ts';
import {
  commandEnvironment,
  gatewayEnvironment,
  loopbackUrl,
  type SharedEnvironment,
  serviceEntry,
} from '../../deploy/local/service-environment.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import type { Caller } from '../../services/platform/grpc/caller.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { Clients } from './clients.ts';
import { Controlled } from './controlled.ts';
import { onFailureKeep, theServers } from './current-run.ts';
import type { TestServers } from './servers.ts';
import { stackDatabase, stackNats } from './stack-servers.ts';
import { type AgentOptions, startAgent, type TestAgent } from './agent.ts';
import { until } from './until.ts';

type Env = Readonly<Record<string, string>>;

export interface StackOptions {
  /** Default 1. */
  readonly commandReplicas?: number;
  /** Default true. */
  readonly gateway?: boolean;
  /** `own` can be stopped and started by the test; with `none` nothing listens at the address. Default `shared`. */
  readonly nats?: 'shared' | 'own' | 'none';
  /** `own` can be stopped and started by the test. Default `shared`: a database of its own on the run's server. */
  readonly postgres?: 'shared' | 'own';
  /** Added to the environment of every service, of the command replicas, of the gateway. */
  readonly env?: Env;
  readonly commandEnv?: Env;
  readonly gatewayEnv?: Env;
  /** Runs when the database is migrated and no service has started yet. */
  readonly prepare?: (databaseUrl: string) => Promise<void>;
  /** Only outside a test run; a test run's own are known. */
  readonly servers?: TestServers;
}

const LOG_LINES_PRINTED = 25;
const FOUNDING_ACCOUNT = 'main';

/** The account that stacks are founded with, as an admin. */
export const FOUNDER: Caller = { accountId: FOUNDING_ACCOUNT, role: 'admin', subject: 'founder' };

/** Real service processes on free ports with a migrated database. Everything in it ends when it is disposed. */
export class TestStack implements AsyncDisposable {
  readonly data: DataDirectory;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly gatewayUrl: string;
  /** Internal address of each command replica. */
  readonly commandUrls: readonly string[];
  /** Executor port of each command replica. */
  readonly linkUrls: readonly string[];
  readonly internalToken: string;
  readonly replicas: readonly Controlled<ServiceProcess>[];
  readonly gateway: Controlled<ServiceProcess> | undefined;
  /** Present when the stack has its own. */
  readonly nats: Controlled<NatsServer> | undefined;
  readonly postgres: Controlled<Postgres> | undefined;
  readonly #stack: Stack;
  readonly #clients = new Clients();
  #token: string | undefined;

  private constructor(parts: {
    readonly data: DataDirectory;
    readonly shared: SharedEnvironment;
    readonly commandUrls: readonly string[];
    readonly replicas: readonly Controlled<ServiceProcess>[];
    readonly gateway: Controlled<ServiceProcess> | undefined;
    readonly nats: Controlled<NatsServer> | undefined;
    readonly postgres: Controlled<Postgres> | undefined;
    readonly stack: Stack;
  }) {
    this.data = parts.data;
    this.databaseUrl = parts.shared.databaseUrl;
    this.natsUrl = parts.shared.natsUrl;
    this.gatewayUrl = parts.shared.gatewayUrl;
    this.linkUrls = parts.shared.linkUrls;
    this.internalToken = parts.shared.internalToken;
    this.commandUrls = parts.commandUrls;
    this.replicas = parts.replicas;
    this.gateway = parts.gateway;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.#stack = parts.stack;
  }

  static async start(options: StackOptions): Promise<TestStack> {
    const servers = options.servers ?? (await theServers());
    const stacks = join(servers.directory, 'stacks');
    await mkdir(stacks, { recursive: true });
    const data = dataDirectoryAt(await mkdtemp(join(stacks, 'stack-')));
    const stack = new Stack();
    try {
      const context = { servers, data, stack };
      const database = await stackDatabase(options.postgres ?? 'shared', context);
      await options.prepare?.(database.url);
      const nats = await stackNats(options.nats ?? 'shared', context);
      const indexes = Array.from({ length: options.commandReplicas ?? 1 }, (_, index) => index);
      const commandPorts = await Promise.all(indexes.map(() => freePort()));
      const linkPorts = await Promise.all(indexes.map(() => freePort()));
      const gatewayPort = await freePort();
      const shared: SharedEnvironment = {
        databaseUrl: database.url,
        natsUrl: nats.url,
        internalToken: `internal-${data.root}`,
        linkUrls: linkPorts.map(loopbackUrl),
        gatewayUrl: loopbackUrl(gatewayPort),
      };
      const controlled = (name: string, service: 'command' | 'gateway', env: Env): Controlled<ServiceProcess> =>
        stack.add(
          new Controlled(name, () =>
            ServiceProcess.start({
              name,
              entry: serviceEntry(service),
              env: { STRATEGOS_LOG_LEVEL: 'debug', ...env, ...options.env },
              logFile: data.log(name),
              recordFile: data.record(name),
            }),
          ),
        );
      const replicas = indexes.map((index) =>
        controlled(`command-${index}`, 'command', {
          ...commandEnvironment(shared, {
            replicaId: `command-${index}`,
            port: commandPorts[index] ?? 0,
            linkPort: linkPorts[index] ?? 0,
          }),
          ...options.commandEnv,
        }),
      );
      const commandUrls = commandPorts.map(loopbackUrl);
      const gateway =
        options.gateway === false
          ? undefined
          : controlled('gateway', 'gateway', {
              ...gatewayEnvironment(shared, { port: gatewayPort, commandUrls, tokenFile: data.tokenFile }),
              ...options.gatewayEnv,
            });
      await onFailureKeep(data.root, () => printLogs(data));
      await startAll([...replicas, ...(gateway === undefined ? [] : [gateway])]);
      if (gateway !== undefined) await untilReady(shared.gatewayUrl);
      return new TestStack({
        data,
        shared,
        commandUrls,
        replicas,
        gateway,
        nats: nats.own,
        postgres: database.own,
        stack,
      });
    } catch (thrown) {
      await stack.stop();
      throw thrown;
    }
  }

  replica(index: number): Controlled<ServiceProcess> {
    const replica = this.replicas[index];
    if (replica === undefined) throw new RangeError(`there is no command replica ${index}`);
    return replica;
  }

  killReplica(index: number): Promise<void> {
    return this.replica(index).kill();
  }

  stopReplica(index: number): Promise<void> {
    return this.replica(index).stop();
  }

  /** The founding operator token. */
  async token(): Promise<string> {
    this.#token ??= (await readFile(this.data.tokenFile, 'utf8')).trim();
    return this.#token;
  }

  /** Through the gateway, with the founding token or another. */
  async commandClient(token?: string) {
    return this.#clients.edge(CommandService, this.gatewayUrl, token ?? (await this.token()));
  }

  async executorClient(token?: string) {
    return this.#clients.edge(ExecutorService, this.gatewayUrl, token ?? (await this.token()));
  }

  async accessClient(token?: string) {
    return this.#clients.edge(AccessService, this.gatewayUrl, token ?? (await this.token()));
  }

  /** Straight to one replica, past the gateway. */
  replicaCommandClient(index: number, caller: Caller = FOUNDER) {
    return this.#clients.internal(CommandService, this.commandUrls[index] ?? '', this.internalToken, caller);
  }

  replicaExecutorClient(index: number, caller: Caller = FOUNDER) {
    return this.#clients.internal(ExecutorService, this.commandUrls[index] ?? '', this.internalToken, caller);
  }

  /** Registers an executor of the founding account. */
  async createExecutor(name: string, labels: Readonly<Record<string, string>> = {}): Promise<Credentials> {
    const { credentials } = await this.replicaExecutorClient(this.#livingReplica()).createExecutor({ name, labels });
    if (credentials === undefined) throw new Error(`executor ${name} was created without credentials`);
    return credentials;
  }

  /** Starts a real agent process; it ends with the stack. */
  startAgent(options: AgentOptions): Promise<TestAgent> {
    return startAgent(this.data, this.#stack, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clients[Symbol.dispose]();
    await this.#stack.stop();
  }

  #livingReplica(): number {
    const index = this.replicas.findIndex((replica) => replica.started);
    if (index === -1) throw new Error('no command replica runs');
    return index;
  }
}

/** Starts services as `options` say, with `await using stack = await startStack({ … })`. */
export function startStack(options: StackOptions = {}): Promise<TestStack> {
  return TestStack.start(options);
}

/** Starts all at once. One that cannot start is thrown when the others have: what runs by then is known and can be ended. */
async function startAll(parts: readonly Controlled<ServiceProcess>[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part.start()));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** A gateway that started beside its services may have looked for them too early; it looks again by itself. */
async function untilReady(gatewayUrl: string): Promise<void> {
  await until(async () => (await fetch(`${gatewayUrl}/readyz`)).ok, 'the gateway reaches its services');
}

async function printLogs(data: DataDirectory): Promise<void> {
  const directory = join(data.root, 'logs');
  for (const file of (await readdir(directory)).filter((name) => name.endsWith('.log'))) {
    const lines = (await readFile(join(directory, file), 'utf8')).trimEnd().split('\n').slice(-LOG_LINES_PRINTED);
    process.stderr.write(`--- end of ${file}\n${readable(lines).join('\n')}\n`);
  }
}
