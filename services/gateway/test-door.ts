import { create, type DescMethod, type DescService } from '@bufbuild/protobuf';
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type ServiceImpl,
  type Transport,
} from '@connectrpc/connect';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Secret } from '../platform/config.ts';
import { internalAuthenticator } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { Stack } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { envToConfig, type GatewayLimits } from './config.ts';
import { issueBearer } from './domain/bearer.ts';
import type { Role } from './domain/role.ts';
import type { StoredToken } from './domain/token.ts';
import type { TokenRepository } from './domain/token-repository.ts';
import { openDoor } from './door.ts';
import { Readiness } from './readiness.ts';
import { newTokenId } from './token-id.ts';
import { createCommandHealth } from './upstream/command-health.ts';
import { isServerStreaming, isUnary } from './upstream/forward.ts';

const INTERNAL_TOKEN = 'internal-token-of-the-test';

const absent = (): never => {
  throw new ConnectError('not in this test', Code.Unimplemented);
};
const NO_COMMAND: ServiceImpl<typeof CommandService> = {
  issueCommand: absent,
  issueCommands: absent,
  issueCommandStream: absent,
  getCommand: absent,
  listCommands: absent,
  watchCommands: absent,
  cancelCommand: absent,
  retryCommand: absent,
  settleCommand: absent,
  explainCommand: absent,
  getCommandStats: absent,
  listAccounts: absent,
  listQuarantinedCommands: absent,
};
const NO_EXECUTOR: ServiceImpl<typeof ExecutorService> = {
  createExecutor: absent,
  getExecutor: absent,
  listExecutors: absent,
  watchExecutors: absent,
  rotateCredentials: absent,
  disableExecutor: absent,
  watchVenueEvents: absent,
};
const NO_LINK: ServiceImpl<typeof ExecutorLinkService> = {
  connect: absent,
  pollCommands: absent,
  reportEvents: absent,
  checkLink: absent,
};

export type WireProtocol = 'connect' | 'grpc' | 'grpc-web';

export interface TestDoorOptions {
  readonly command?: Partial<ServiceImpl<typeof CommandService>>;
  readonly executor?: Partial<ServiceImpl<typeof ExecutorService>>;
  readonly link?: Partial<ServiceImpl<typeof ExecutorLinkService>>;
  /** Calls that one connection to the command service carries at once; default: as many as in earnest. */
  readonly callsPerConnection?: number;
  /** Instead of a command service of its own. */
  readonly commandUrls?: readonly string[];
  readonly linkUrls?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  readonly env?: Readonly<Record<string, string>>;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Replaces the lookup of tokens. */
  readonly find?: (tokenId: string) => Promise<StoredToken | undefined>;
}

export interface TestDoor extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Everything that was logged, parsed. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  readonly logText: () => string;
  /** Makes a token and returns its bearer. */
  issue(role: Role, accountId?: string, name?: string): string;
  revoke(bearer: string): void;
  client<S extends DescService>(
    service: S,
    bearer?: string,
    protocol?: WireProtocol,
    httpVersion?: '1.1' | '2',
  ): Client<S>;
  /** How the method answers an empty request: undefined when it succeeds, otherwise its error. */
  probe(method: DescMethod, bearer?: string): Promise<ConnectError | undefined>;
  stop(): Promise<void>;
}

/** The gateway as it runs, with tokens in memory in place of the database and a command service in this process. */
export async function openTestDoor(options: TestDoorOptions = {}): Promise<TestDoor> {
  const stack = new Stack();
  const lines: string[] = [];
  const logger = createLogger('gateway', 'debug', { write: (line) => lines.push(line) });
  const commandUrls = options.commandUrls ?? [await startFakeCommand(options, stack)];
  const linkUrls = options.linkUrls ?? [await startFakeLink(options, stack)];
  const config = envToConfig({
    DATABASE_URL: 'postgres://unused',
    STRATEGOS_INTERNAL_TOKEN: INTERNAL_TOKEN,
    STRATEGOS_PORT: '0',
    STRATEGOS_COMMAND_URLS: commandUrls.join(','),
    STRATEGOS_LINK_URLS: linkUrls.join(','),
    ...options.env,
  });
  const tokens = new Map<string, StoredToken>();
  const commandHealth = stack.use(createCommandHealth(commandUrls), (opened) => opened.close());
  const readiness = stack.add(
    new Readiness({
      dependencies: [{ name: 'command', check: (signal) => commandHealth.check(signal) }],
      logger,
    }),
  );
  const port = await openDoor({
    config: { ...config, limits: { ...config.limits, ...options.limits } },
    tokens: inMemory(tokens, options.find),
    readiness,
    version: '0.0.0',
    tls: options.tls,
    logger,
    stack,
  });
  const url = `http${options.tls === undefined ? '' : 's'}://127.0.0.1:${port}`;
  return {
    port,
    url,
    get logs() {
      return lines.map((line): Record<string, unknown> => JSON.parse(line));
    },
    logText: () => lines.join(''),
    issue(role, accountId = 'main', name = `${role}-${tokens.size}`) {
      const { bearer, tokenId, secretDigest } = issueBearer(newTokenId());
      tokens.set(tokenId, {
        id: tokenId,
        accountId,
        name,
        role,
        secretDigest,
        createTimeMs: 0,
        revokeTimeMs: undefined,
      });
      return bearer;
    },
    revoke(bearer) {
      const [, id = ''] = bearer.split('_');
      const token = tokens.get(id);
      if (token !== undefined) tokens.set(id, { ...token, revokeTimeMs: 1 });
    },
    client: (service, bearer, protocol = 'connect', httpVersion = '2') =>
      createClient(service, clientTransport(url, protocol, httpVersion, bearer)),
    probe: (method, bearer) => probe(clientTransport(url, 'connect', '2', bearer), method),
    stop: () => stack.stop(),
    [Symbol.asyncDispose]: () => stack.stop(),
  };
}

/** A command service that answers what the test says; returns the URL of its internal port. */
export async function startFakeCommand(options: TestDoorOptions, stack: Stack): Promise<string> {
  const server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    logger: createLogger('fake', 'silent'),
    limits: grpcServerLimits({
      drainMs: 100,
      ...(options.callsPerConnection === undefined ? {} : { streamsPerConnectionMax: options.callsPerConnection }),
    }),
    authenticate: internalAuthenticator(new Secret(INTERNAL_TOKEN)),
  });
  server.register(CommandService, { ...NO_COMMAND, ...options.command });
  server.register(ExecutorService, { ...NO_EXECUTOR, ...options.executor });
  server.register(
    Health,
    healthService(() => Promise.resolve(true)),
  );
  stack.add(server);
  return `http://127.0.0.1:${await server.start()}`;
}

/** A link port that answers what the test says; returns its URL. */
export async function startFakeLink({ link }: Pick<TestDoorOptions, 'link'>, stack: Stack, port = 0): Promise<string> {
  const server = createGrpcServer({
    host: '127.0.0.1',
    port,
    logger: createLogger('fake', 'silent'),
    limits: grpcServerLimits({ drainMs: 100 }),
  });
  server.register(ExecutorLinkService, { ...NO_LINK, ...link });
  stack.add(server);
  return `http://127.0.0.1:${await server.start()}`;
}

async function probe(transport: Transport, method: DescMethod): Promise<ConnectError | undefined> {
  const signal = AbortSignal.timeout(5_000);
  const request = create(method.input);
  try {
    if (isUnary(method)) await transport.unary(method, signal, undefined, undefined, request);
    else if (isServerStreaming(method)) {
      const stream = await transport.stream(method, signal, undefined, undefined, createAsyncIterable([request]));
      await stream.message[Symbol.asyncIterator]().next();
    } else throw new Error(`${method.toString()} cannot be probed`);
    return undefined;
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
}

function clientTransport(
  baseUrl: string,
  protocol: WireProtocol,
  httpVersion: '1.1' | '2',
  bearer: string | undefined,
) {
  const withBearer: Interceptor = (next) => (request) => {
    if (bearer !== undefined) request.header.set('authorization', `Bearer ${bearer}`);
    return next(request);
  };
  const shared = { baseUrl, interceptors: [withBearer] };
  switch (protocol) {
    case 'connect':
      return createConnectTransport({ ...shared, httpVersion });
    case 'grpc':
      return createGrpcTransport(shared);
    case 'grpc-web':
      return createGrpcWebTransport({ ...shared, httpVersion });
    default:
      throw new Error(`no transport for ${String(protocol satisfies never)}`);
  }
}

const unused = (): Promise<never> => Promise.reject(new Error('this test keeps tokens in memory'));

function inMemory(tokens: Map<string, StoredToken>, find: TestDoorOptions['find']): TokenRepository {
  return {
    find: find ?? ((tokenId) => Promise.resolve(tokens.get(tokenId))),
    list: (accountId) => Promise.resolve([...tokens.values()].filter((token) => token.accountId === accountId)),
    create: unused,
    revoke: unused,
    createAccount: unused,
  };
}
