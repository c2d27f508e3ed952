import { Code, ConnectError, type HandlerContext, type Transport } from '@connectrpc/connect';
import type { Secret } from '../../platform/config.ts';
import { callerOf, internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import { unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { recordKey } from '../edge/call-record.ts';
import type { Upstream } from './forward.ts';

/**
 * Connections for watches, taken in turn. A connection carries a thousand calls; more wait unseen for one to end, which no
 * watch does. Calls that end have a connection of their own, so that watches never hold them up.
 */
const WATCH_CONNECTIONS = 16;

/** Calls to the internal ports of a service's replicas, in turn, past those that cannot be reached. */
export interface ServiceUpstream extends Upstream {
  close(): void;
}

/** Without URLs every call is UNAVAILABLE with the name of the variable that is to name them. */
export function createServiceUpstream({
  service,
  urls,
  internalToken,
  watchesEnd,
  logger,
}: {
  readonly service: string;
  readonly urls: readonly string[];
  readonly internalToken: Secret;
  readonly watchesEnd: AbortSignal;
  readonly logger: Logger;
}): ServiceUpstream {
  if (urls.length === 0) return unconfigured(service, watchesEnd);
  const calls = createGrpcTransport({ urls });
  const watches = Array.from({ length: WATCH_CONNECTIONS }, () => createGrpcTransport({ urls, ownConnection: true }));
  let turn = 0;
  const transportFor = ({ method }: HandlerContext): Transport => {
    if (method.methodKind === 'unary') return calls;
    turn = (turn + 1) % WATCH_CONNECTIONS;
    return watches[turn] ?? calls;
  };
  return {
    service,
    watchesEnd,
    headers: (context: HandlerContext) =>
      internalHeaders(internalToken, callerOf(context), context.values.get(recordKey)?.requestId),
    async run<T>(context: HandlerContext, call: (transport: Transport) => Promise<T>): Promise<T> {
      try {
        return await call(transportFor(context));
      } catch (thrown) {
        throw unmasked(thrown, service, logger);
      }
    },
    close: () => {
      for (const transport of [calls, ...watches]) transport.close();
    },
  };
}

/** The caller was let in here, so a refused identity is this platform's own fault and no word about the caller's token. */
function unmasked(thrown: unknown, service: string, logger: Logger): unknown {
  if (!(thrown instanceof ConnectError) || thrown.code !== Code.Unauthenticated) return thrown;
  logger.error(
    { service },
    'a service refuses the internal token: STRATEGOS_INTERNAL_TOKEN must be the same everywhere',
  );
  return new Error(`the ${service} service refuses the internal token`, { cause: thrown });
}

function unconfigured(service: string, watchesEnd: AbortSignal): ServiceUpstream {
  const variable = `STRATEGOS_${service.toUpperCase()}_URLS`;
  return {
    service,
    watchesEnd,
    headers: () => ({}),
    run: () =>
      Promise.reject(
        unavailable(service, `this gateway knows no ${service} service; name its replicas in ${variable}`),
      ),
    close: () => undefined,
  };
}
