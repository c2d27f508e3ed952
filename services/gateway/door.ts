import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { type Clock, systemClock } from '../platform/clock.ts';
import { unavailable } from '../platform/errors.ts';
import type { Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import { type GatewayConfig, TRADING_SERVICES, type TradingService } from './config.ts';
import { diagnose } from './diagnosis/diagnose.ts';
import { FailureGuard } from './domain/failure-guard.ts';
import { Slots } from './domain/slots.ts';
import { RateLimiter } from './domain/token-bucket.ts';
import type { TokenRepository } from './domain/token-repository.ts';
import { createConsole } from './edge/console.ts';
import { createCors } from './edge/cors.ts';
import { createFront } from './edge/front.ts';
import { noteExecutorCredential } from './edge/gate.ts';
import type { GateParts } from './edge/gate-limits.ts';
import { createListener } from './edge/listener.ts';
import { createRpcHandlers } from './edge/rpc-handlers.ts';
import { TokenCache } from './edge/token-cache.ts';
import type { HealthSource } from './handlers/health.ts';
import { largestRequestBytes, PUBLIC_SERVICES, registerHandlers } from './handlers/index.ts';
import { plainRoutes } from './handlers/plain-routes.ts';
import type { Readiness } from './readiness.ts';
import { newTokenId } from './token-id.ts';
import type { Upstream } from './upstream/forward.ts';
import { createLinkUpstream } from './upstream/link-upstream.ts';
import { createServiceUpstream } from './upstream/service-upstream.ts';

export interface DoorParts {
  readonly config: Pick<
    GatewayConfig,
    | 'databaseUrl'
    | 'natsUrl'
    | 'host'
    | 'port'
    | 'commandUrls'
    | 'tradingUrls'
    | 'linkUrls'
    | 'internalToken'
    | 'corsOrigins'
    | 'forwardedHops'
    | 'limits'
  >;
  readonly tokens: TokenRepository;
  readonly readiness: Readiness;
  readonly version: string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly logger: Logger;
  /** Takes what is opened, in the order in which it must be closed again. */
  readonly stack: Stack;
  readonly clock?: Clock;
}

/** Opens the port with everything behind it but the database. Resolves with the port. */
export async function openDoor(parts: DoorParts): Promise<number> {
  const { config, readiness, logger, stack, clock = systemClock } = parts;
  const { limits } = config;
  const tokens = new TokenCache((tokenId) => parts.tokens.find(tokenId), clock);
  const gate: GateParts = {
    tokens,
    addressLimiter: new RateLimiter(limits.addressRate),
    tokenLimiter: new RateLimiter(limits.tokenRate),
    failureGuard: new FailureGuard(limits.failureRate),
    watchSlots: new Slots(limits.watchesMax),
    callSlots: new Slots(limits.callsMax),
    pollSlots: new Slots(limits.pollsMax),
    clock,
    logger,
  };
  const watchesEnd = new AbortController();
  const upstreamOf = (service: string, urls: readonly string[]): Upstream =>
    stack.use(
      createServiceUpstream({
        service,
        urls,
        internalToken: config.internalToken,
        watchesEnd: watchesEnd.signal,
        logger,
      }),
      (opened) => opened.close(),
    );
  const command = upstreamOf('command', config.commandUrls);
  const trading = new Map<TradingService, Upstream>(
    TRADING_SERVICES.map((service) => [service, upstreamOf(service, config.tradingUrls[service])]),
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
    requestBytesMax: largestRequestBytes(limits.requestBytesMax),
    logger,
    register: (router) =>
      registerHandlers(router, {
        access: { tokens: parts.tokens, newTokenId, forget: (tokenId) => tokens.forget(tokenId), logger },
        diagnostics: { diagnose: () => diagnose(config), version: parts.version },
        command,
        trading,
        link,
        health: healthSource(readiness, watchesEnd.signal),
      }),
  });
  const listener = createListener({
    host: config.host,
    port: config.port,
    tls: parts.tls,
    limits,
    logger,
    onRequest: createFront({
      handlers,
      plainRoutes: plainRoutes({ version: parts.version, services: PUBLIC_SERVICES, readiness }),
      console: createConsole(logger),
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
    watchesEnd.abort(unavailable('gateway', 'the gateway is stopping; call again and resume from the last cursor'));
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
