import type { Client } from '@connectrpc/connect';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Secret } from '../../services/platform/config.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { startStrategyService } from '../../services/strategy/service.ts';
import { Clients } from './clients.ts';
import { theServers } from './current-run.ts';
import { createDatabase } from './database.ts';
import { StrategyNeighbours } from './strategy-neighbours.ts';

/** Real strategy services in this process, on one database, with stand-ins for the services that they ask. */
export interface StrategyWorld extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly neighbours: StrategyNeighbours;
  readonly replicas: readonly StrategyReplica[];
}

export interface StrategyReplica {
  client(accountId: string, subject?: string): Client<typeof StrategyService>;
  stop(): Promise<void>;
}

export interface StrategyWorldOptions {
  readonly replicas?: number;
  /** Where the first replica listens, and the secret between services: for a gateway of the same platform. */
  readonly port?: number;
  readonly internalToken?: string;
  /** Another NATS than the run's. */
  readonly natsUrl?: string;
  /** Of the strategy services; the stand-ins' address where nothing is said. */
  readonly urls?: Partial<Record<'marketUrls' | 'sessionUrls' | 'evaluatorUrls', readonly string[]>>;
}

export async function startStrategyWorld(options: StrategyWorldOptions = {}): Promise<StrategyWorld> {
  const stack = new Stack();
  try {
    const internalToken = options.internalToken ?? 'strategy-world';
    const natsUrl = options.natsUrl ?? (await theServers()).natsUrl;
    const database = stack.use(await createDatabase(), (made) => made[Symbol.asyncDispose]());
    const neighbours = stack.use(await StrategyNeighbours.start(internalToken), (made) => made[Symbol.asyncDispose]());
    const clients = stack.use(new Clients(), (made) => made[Symbol.dispose]());
    const start = async (index: number): Promise<StrategyReplica> => {
      const { service, port } = await startStrategyService(
        {
          databaseUrl: database.url,
          natsUrl,
          logLevel: 'warn',
          replicaId: `strategy-${index}`,
          internalToken: new Secret(internalToken),
          host: '127.0.0.1',
          port: index === 0 ? (options.port ?? 0) : 0,
          marketUrls: [neighbours.url],
          sessionUrls: [neighbours.url],
          evaluatorUrls: [neighbours.url],
          postgresConnectionsMax: 8,
          historyDays: 30,
          ...options.urls,
        },
        createLogger('strategy', 'error'),
      );
      stack.add(service);
      return {
        client: (accountId, subject = 'tester') =>
          clients.internal(StrategyService, `http://127.0.0.1:${port}`, internalToken, {
            accountId,
            role: 'operator',
            subject,
          }),
        stop: () => service.stop(),
      };
    };
    const replicas: StrategyReplica[] = [];
    for (let index = 0; index < (options.replicas ?? 1); index++) replicas.push(await start(index));
    return {
      databaseUrl: database.url,
      natsUrl,
      neighbours,
      replicas,
      [Symbol.asyncDispose]: () => stack.stop(),
    };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}
