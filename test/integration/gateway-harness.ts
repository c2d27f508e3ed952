import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, ConnectError } from '@connectrpc/connect';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { envToConfig } from '../../services/gateway/config.ts';
import { startGateway } from '../../services/gateway/service.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { Clients } from '../harness/clients.ts';
import { createDatabase } from '../harness/database.ts';

/** Gateways in this process on one database of their own, without any command service behind them. */
export interface Gateways extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly tokenFile: string;
  readonly logText: () => string;
  /** Starts one more replica; resolves with its URL. */
  start(env?: Readonly<Record<string, string>>): Promise<string>;
  /** URLs of the replicas, in the order of their start. */
  readonly urls: readonly string[];
  /** The bearer in the founding token's file. */
  founder(): Promise<string>;
  /** A client of one replica with the founding token. */
  founderAt(url: string): Promise<Client<typeof AccessService>>;
  access(url: string, bearer: string): Client<typeof AccessService>;
}

export async function openGateways(): Promise<Gateways> {
  const stack = new Stack();
  const clients = new Clients();
  const database = stack.use(await createDatabase(), (made) => made[Symbol.asyncDispose]());
  const folder = stack.use(await mkdtemp(join(tmpdir(), 'gateway-')), (path) => rm(path, { recursive: true }));
  stack.use(clients, (made) => made[Symbol.dispose]());
  const tokenFile = join(folder, 'made', 'token');
  const lines: string[] = [];
  const logger = createLogger('gateway', 'debug', { write: (line) => lines.push(line) });
  const urls: string[] = [];
  const founder = async (): Promise<string> => (await readFile(tokenFile, 'utf8')).trim();
  return {
    urls,
    databaseUrl: database.url,
    tokenFile,
    logText: () => lines.join(''),
    async start(env = {}) {
      const { service, ports } = await startGateway(
        envToConfig({
          DATABASE_URL: database.url,
          STRATEGOS_INTERNAL_TOKEN: 'internal',
          STRATEGOS_PORT: '0',
          STRATEGOS_COMMAND_URLS: 'http://127.0.0.1:1',
          STRATEGOS_BOOTSTRAP_TOKEN_FILE: tokenFile,
          ...env,
        }),
        logger,
      );
      stack.add(service);
      const url = `http://127.0.0.1:${ports.gateway}`;
      urls.push(url);
      return url;
    },
    founder,
    founderAt: async (url) => clients.edge(AccessService, url, await founder()),
    access: (url, bearer) => clients.edge(AccessService, url, bearer),
    [Symbol.asyncDispose]: () => stack.stop(),
  };
}

/** The error of a call that must fail. */
export async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
  throw new Error('the call succeeded');
}
