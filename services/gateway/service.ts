import { readFile } from 'node:fs/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { createPool } from '../platform/postgres/pool.ts';
import type { GatewayConfig } from './config.ts';
import { Slots } from './domain/slots.ts';
import { FailureGuard } from './domain/failure-guard.ts';
import { RateLimiter } from './domain/token-bucket.ts';
import { createCors } from './edge/cors.ts';
import { createFront } from './edge/front.ts';
import { type GateParts, noteExecutorCredential } from './edge/gate.ts';
import { createListener } from './edge/listener.ts';
import { createRpcHandlers } from './edge/rpc-handlers.ts';
import { TokenCache } from './edge/token-cache.ts';
import type { HealthSource } from './handlers/health.ts';
import { PUBLIC_SERVICES, registerHandlers } from './handlers/index.ts';
import { plainRoutes } from './handlers/plain-routes.ts';
import { prepareDatabase } from './prepare-database.ts';
import { Readiness } from './readiness.ts';
import { TokenStore } from './store/token-store.ts';
import { newTokenId } from './token-id.ts';
import { createCommandHealth } from './upstream/command-health.ts';
import { createCommandUpstream } from './upstream/command-upstream.ts';
import { createLinkUpstream } from './upstream/link-upstream.ts';

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
  const { limits } = config;
  const clock = systemClock;
  const pool = stack.use(
    createPool({
      databaseUrl: config.databaseUrl,
      applicationName: `strategos gateway ${config.replicaId}`,
      connectionsMax: config.postgresConnectionsMax,
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

  const tokens = new TokenCache((tokenId) => store.find(tokenId), clock);
  const gate: GateParts = {
    tokens,
    addressLimiter: new RateLimiter(limits.addressRate),
    tokenLimiter: new RateLimiter(limits.tokenRate),
    failureGuard: new FailureGuard(limits.failureRate),
    watchSlots: new Slots(limits.watchesMax),
    callSlots: new Slots(limits.callsMax),
    clock,
    logger,
  };
  const watchesEnd = new AbortController();
  const command = stack.use(
    createCommandUpstream({
      urls: config.commandUrls,
      internalToken: config.internalToken,
      watchesEnd: watchesEnd.signal,
      logger,
    }),
    (opened) => opened.close(),
  );
  const link = stack.use(
    createLinkUpstream({
      urls: config.linkUrls,
      watchesEnd: watchesEnd.signal,
      clock,
      onCredential: (context, accepted) => noteExecutorCredential(gate, context, accepted),
    }),
    (opened) => opened.close(),
  );

  const handlers = createRpcHandlers({
    gate,
    requestBytesMax: limits.requestBytesMax,
    logger,
    register: (router) =>
      registerHandlers(router, {
        access: { tokens: store, newTokenId, forget: (tokenId) => tokens.forget(tokenId), logger },
        command,
        link,
        health: healthSource(readiness, watchesEnd.signal),
      }),
  });
  const listener = createListener({
    host: config.host,
    port: config.port,
    tls: await readTls(config),
    limits,
    logger,
    onRequest: createFront({
      handlers,
      plainRoutes: plainRoutes({ version: await version(), services: PUBLIC_SERVICES, readiness }),
      cors: createCors(config.corsOrigins),
      limits: { body: limits, timeouts: limits, stallMs: limits.stallMs },
      forwardedHops: config.forwardedHops,
      addressLimiter: gate.addressLimiter,
      clock,
      logger,
    }),
  });
  const port = await listener.start();
  stack.use(listener, () => {
    readiness.drain();
    watchesEnd.abort(
      new ConnectError('the gateway is stopping; call again and resume from the last cursor', Code.Unavailable),
    );
    return listener.stop(limits.drainMs);
  });
  return port;
}

/** Each service is as healthy as what it rests on; the gateway as a whole, and the link, as all of it. */
function healthSource(readiness: Readiness, watchesEnd: AbortSignal): HealthSource {
  const known = new Set(PUBLIC_SERVICES.map((service) => service.typeName));
  return {
    isServing(service) {
      if (service === AccessService.typeName) return readiness.isUp('postgres');
      return service === '' || known.has(service) ? readiness.ready : undefined;
    },
    onChange: (listener) => readiness.onChange(listener),
    watchesEnd,
  };
}

async function readTls({ tls }: GatewayConfig): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (tls === undefined) return undefined;
  return { cert: await readFile(tls.certFile, 'utf8'), key: await readFile(tls.keyFile, 'utf8') };
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
