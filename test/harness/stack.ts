import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { DataDirectory } from '../../deploy/local/data-directory.ts';
import { readable } from '../../deploy/local/log-file.ts';
import type { NatsServer } from '../../deploy/local/nats-server.ts';
import type { Postgres } from '../../deploy/local/postgres.ts';
import type { SharedEnvironment } from '../../deploy/local/service-environment.ts';
import type { ServiceProcess } from '../../deploy/local/service-process.ts';
import type { Caller } from '../../services/platform/grpc/caller.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { Clients } from './clients.ts';
import type { Controlled } from './controlled.ts';
import { onFailureKeep, theServers } from './current-run.ts';
import { assembleStack, type StackOptions, type StackParts } from './stack-parts.ts';
import { type AgentOptions, startAgent, type TestAgent } from './agent.ts';
import { until } from './until.ts';

export type { StackOptions };

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
  /** The services that trade, by replica: "market", "evaluator-0". */
  readonly trading: ReadonlyMap<string, Controlled<ServiceProcess>>;
  /** What a further service of this stack is to be told. */
  readonly shared: SharedEnvironment;
  /** Present when the stack has its own. */
  readonly nats: Controlled<NatsServer> | undefined;
  readonly postgres: Controlled<Postgres> | undefined;
  readonly #stack: Stack;
  readonly #clients = new Clients();
  #token: string | undefined;

  private constructor(parts: StackParts, stack: Stack) {
    this.data = parts.data;
    this.databaseUrl = parts.shared.databaseUrl;
    this.natsUrl = parts.shared.natsUrl;
    this.gatewayUrl = parts.shared.gatewayUrl;
    this.linkUrls = parts.shared.linkUrls;
    this.internalToken = parts.shared.internalToken;
    this.commandUrls = parts.shared.serviceUrls.command;
    this.replicas = parts.replicas;
    this.gateway = parts.gateway;
    this.trading = parts.trading;
    this.shared = parts.shared;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.#stack = stack;
  }

  static async start(options: StackOptions): Promise<TestStack> {
    const stack = new Stack();
    try {
      const parts = await assembleStack(options, options.servers ?? (await theServers()), stack);
      await onFailureKeep(parts.data.root, () => printLogs(parts.data));
      const services = [
        ...parts.replicas,
        ...parts.trading.values(),
        ...(parts.gateway === undefined ? [] : [parts.gateway]),
      ];
      await startAll(services);
      if (parts.gateway !== undefined) await untilReady(parts.shared.gatewayUrl);
      return new TestStack(parts, stack);
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

  /** A replica of a service that trades, such as "evaluator-1". */
  part(replicaId: string): Controlled<ServiceProcess> {
    const part = this.trading.get(replicaId);
    if (part === undefined) throw new RangeError(`there is no ${replicaId}; start the stack with trading`);
    return part;
  }

  /** Any service through the gateway, with the founding token or another. */
  async client<S extends DescService>(service: S, token?: string) {
    return this.#clients.edge(service, this.gatewayUrl, token ?? (await this.token()));
  }

  /** Any service straight at one replica, as another service would call it. */
  internalClient<S extends DescService>(service: S, url: string, caller: Caller = FOUNDER) {
    return this.#clients.internal(service, url, this.internalToken, caller);
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
