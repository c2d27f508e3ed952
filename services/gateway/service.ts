import { readFile } from 'node:fs/promises';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { GatewayConfig } from './config.ts';
import { openDoor } from './door.ts';
import { prepareDatabase } from './prepare-database.ts';
import { Readiness } from './readiness.ts';
import { TokenStore } from './store/token-store.ts';
import { createCommandHealth } from './upstream/command-health.ts';

/** Statements here touch a few rows; one that takes longer means that the database hangs, and callers are told so. */
const STATEMENT_MS_MAX = 3_000;

/** Starts the gateway: ready when the database is migrated, the platform is founded and the port is bound. */
export async function startGateway(
  config: GatewayConfig,
  logger: Logger,
): Promise<{ readonly service: Running; readonly ports: { readonly gateway: number } }> {
  const stack = new Stack();
  try {
    const port = await start(config, logger, stack);
    return { service: stack, ports: { gateway: port } };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}

async function start(config: GatewayConfig, logger: Logger, stack: Stack): Promise<number> {
  const pool = stack.use(
    createPool({
      databaseUrl: config.databaseUrl,
      applicationName: `strategos gateway ${config.replicaId}`,
      connectionsMax: config.postgresConnectionsMax,
      statementMsMax: STATEMENT_MS_MAX,
      logger,
    }),
    (opened) => opened.end(),
  );
  const store = new TokenStore(pool);
  await prepareDatabase(config, store, logger);

  const commandHealth = stack.use(createCommandHealth(config.commandUrls), (opened) => opened.close());
  const readiness = stack.add(
    new Readiness({
      dependencies: [
        { name: 'postgres', check: () => store.probe() },
        { name: 'command', check: (signal) => commandHealth.check(signal) },
      ],
      logger,
    }),
  );

  return openDoor({
    config,
    tokens: store,
    readiness,
    version: await version(),
    tls: await readTls(config),
    logger,
    stack,
  });
}

async function readTls({ tls }: GatewayConfig): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (tls === undefined) return undefined;
  return { cert: await readFile(tls.certFile, 'utf8'), key: await readFile(tls.keyFile, 'utf8') };
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
