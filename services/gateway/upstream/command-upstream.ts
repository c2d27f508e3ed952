import { Code, ConnectError, type HandlerContext, type Transport } from '@connectrpc/connect';
import type { Secret } from '../../platform/config.ts';
import { callerOf, internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import type { Logger } from '../../platform/logger.ts';
import { recordKey } from '../edge/call-record.ts';
import type { Upstream } from './forward.ts';

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
  const transport = createGrpcTransport({ urls });
  return {
    service: 'command',
    watchesEnd,
    headers: (context: HandlerContext) =>
      internalHeaders(internalToken, callerOf(context), context.values.get(recordKey)?.requestId),
    async run<T>(_context: HandlerContext, call: (transport: Transport) => Promise<T>): Promise<T> {
      try {
        return await call(transport);
      } catch (thrown) {
        throw unmasked(thrown, logger);
      }
    },
    close: () => transport.close(),
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
