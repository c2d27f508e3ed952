import { hash } from 'node:crypto';
import { Code, ConnectError, type HandlerContext, type Transport } from '@connectrpc/connect';
import type { Clock } from '../../platform/clock.ts';
import { createGrpcTransport, type GrpcTransport } from '../../platform/grpc/transport.ts';
import { REQUEST_ID_HEADER } from '../../platform/identity.ts';
import { bearerValue } from '../domain/bearer.ts';
import { replicaOrder } from '../domain/replica-order.ts';
import { recordKey } from '../edge/call-record.ts';
import type { Upstream } from './forward.ts';
import { isUnavailable, mayBeRepeated, neverSent } from './upstream-error.ts';

/** A replica that did not answer is asked last for this long. */
const AVOID_MS = 2_000;
/**
 * Connections to each replica. A poll waits long, and a connection carries a thousand calls: with as many connections, all polls
 * that the gateway lets in find a place.
 */
const CONNECTIONS_PER_REPLICA = 16;

export interface LinkUpstream extends Upstream {
  close(): void;
}

/**
 * Calls to the link ports with the executor's own credential. One executor's calls go to one replica, because that one holds its
 * place in the conversation, and move on when it cannot be reached or says that it is going away.
 */
export function createLinkUpstream({
  urls,
  watchesEnd,
  clock,
  onCredential,
}: {
  readonly urls: readonly string[];
  readonly watchesEnd: AbortSignal;
  readonly clock: Clock;
  /** Told whether the link port took the credential of a call. */
  readonly onCredential: (context: HandlerContext, accepted: boolean) => void;
}): LinkUpstream {
  const replicas = new Map<string, readonly GrpcTransport[]>(urls.map((url) => [url, connectionsTo(url)]));
  const avoidedUntilMs = new Map<string, number>();

  const order = (keyId: string): string[] => {
    const atMs = clock.steadyMs();
    const avoided = (url: string): boolean => (avoidedUntilMs.get(url) ?? Number.NEGATIVE_INFINITY) > atMs;
    const inOrder = replicaOrder(keyId, urls);
    return [...inOrder.filter((url) => !avoided(url)), ...inOrder.filter(avoided)];
  };

  return {
    service: 'command',
    watchesEnd,
    headers: (context) => ({
      authorization: context.requestHeader.get('authorization') ?? '',
      [REQUEST_ID_HEADER]: context.values.get(recordKey)?.requestId ?? '',
    }),
    async run<T>(context: HandlerContext, call: (transport: Transport) => Promise<T>): Promise<T> {
      let failure: unknown = new ConnectError('cannot reach any link port: none is configured', Code.Unavailable);
      const keyId = keyIdOf(context);
      for (const url of order(keyId)) {
        const transport = replicas.get(url)?.[slotOf(keyId)];
        if (transport === undefined) continue;
        try {
          const response = await call(transport);
          onCredential(context, true);
          return response;
        } catch (thrown) {
          failure = thrown;
          if (isUnavailable(thrown)) avoidedUntilMs.set(url, clock.steadyMs() + AVOID_MS);
          if (thrown instanceof ConnectError && thrown.code === Code.Unauthenticated) onCredential(context, false);
          // Only what was not sent, or was refused with the word that it may be repeated, goes to another replica.
          if (!neverSent(thrown) && !mayBeRepeated(thrown)) throw thrown;
        }
      }
      throw failure;
    },
    close: () => {
      for (const transport of [...replicas.values()].flat()) transport.close();
    },
  };
}

/** Each is made when the first call needs it. */
function connectionsTo(url: string): GrpcTransport[] {
  return Array.from({ length: CONNECTIONS_PER_REPLICA }, () =>
    createGrpcTransport({ urls: [url], ownConnection: true }),
  );
}

/** Spreads executors evenly over connections. */
function slotOf(keyId: string): number {
  return hash('sha1', keyId, 'buffer').readUInt32BE(0) % CONNECTIONS_PER_REPLICA;
}

/** The public part of an executor's credential. */
function keyIdOf(context: HandlerContext): string {
  return bearerValue(context.requestHeader.get('authorization'))?.split('.', 1)[0] ?? '';
}
