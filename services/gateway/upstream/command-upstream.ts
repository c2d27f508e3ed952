import { Code, ConnectError, type HandlerContext, type Transport } from '@connectrpc/connect';
import type { Secret } from '../../platform/config.ts';
import { callerOf, internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import type { Logger } from '../../platform/logger.ts';
import { recordKey } from '../edge/call-record.ts';
import type { Upstream } from './forward.ts';

/**
 * Connections for watches, taken in turn. A connection carries a thousand calls; more wait unseen for one to end, which no
 * watch does. Calls that end have a connection of their own, so that watches never hold them up.
 */
const WATCH_CONNECTIONS = 16;

/** Calls to the internal ports of the command replicas, in turn, past those that cannot be reached. */
export interface CommandUpstream extends Upstream {
  close(): void;
}

export function createCommandUpstream({
  urls,
  internalToken,
  watchesEnd,
  logger,
}: {
  readonly urls: readonly string[];
  readonly internalToken: Secret;
  readonly watchesEnd: AbortSignal;
  readonly logger: Logger;
}): CommandUpstream {
  const calls = createGrpcTransport({ urls });
  const watches = Array.from({ length: WATCH_CONNECTIONS }, () => createGrpcTransport({ urls, ownConnection: true }));
  let turn = 0;
  const transportFor = ({ method }: HandlerContext): Transport => {
    if (method.methodKind === 'unary') return calls;
    turn = (turn + 1) % WATCH_CONNECTIONS;
    return watches[turn] ?? calls;
  };
  return {
    service: 'command',
    watchesEnd,
    headers: (context: HandlerContext) =>
      internalHeaders(internalToken, callerOf(context), context.values.get(recordKey)?.requestId),
    async run<T>(context: HandlerContext, call: (transport: Transport) => Promise<T>): Promise<T> {
      try {
        return await call(transportFor(context));
      } catch (thrown) {
        throw unmasked(thrown, logger);
      }
    },
    close: () => {
      for (const transport of [calls, ...watches]) transport.close();
    },
  };
}

/** The caller was let in here, so a refused identity is this platform's own fault and no word about the caller's token. */
function unmasked(thrown: unknown, logger: Logger): unknown {
  if (!(thrown instanceof ConnectError) || thrown.code !== Code.Unauthenticated) return thrown;
  logger.error(
    { service: 'command' },
    'the command service refuses the internal token: STRATEGOS_INTERNAL_TOKEN must be the same everywhere',
  );
  return new Error('the command service refuses the internal token', { cause: thrown });
}
