import type { DescMethod, DescMethodServerStreaming, DescMethodUnary, Message } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext, Transport } from '@connectrpc/connect';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import { backoffMs } from '../../platform/backoff.ts';
import { systemClock } from '../../platform/clock.ts';
import { pause } from '../../platform/pause.ts';
import { grantEndsKey } from '../edge/grant.ts';
import { isUnavailable, passedOn } from './upstream-error.ts';

/** Makes one call at whichever replica is right for it; see `Transport`. */
export interface Upstream {
  /** What the service is called in sentences. */
  readonly service: string;
  /** Headers of a call on behalf of the caller in the context. */
  headers(context: HandlerContext): Record<string, string>;
  /** Runs `call` with the transport to use; may run it again at another replica. */
  run<T>(context: HandlerContext, call: (transport: Transport) => Promise<T>): Promise<T>;
  /** Aborts when watches are to end, because the gateway stops; its reason is what watchers are told. */
  readonly watchesEnd: AbortSignal;
}

const RETRY_DELAY = { firstMs: 200, maxMs: 200 } as const;

/**
 * Serves methods by making the same call at another service: one function for all of them, by descriptor. Deadline, cancellation,
 * caller and request id go along; an idempotent call that found nobody is made once more.
 */
export function forwardMethods(router: ConnectRouter, methods: readonly DescMethod[], upstream: Upstream): void {
  for (const method of methods) {
    if (isUnary(method)) router.rpc(method, unaryForwarder(method, upstream));
    else if (isServerStreaming(method)) router.rpc(method, streamForwarder(method, upstream));
    else throw new Error(`${method.toString()} streams requests, which the gateway does not forward`);
  }
}

/** Narrows a method by its kind. */
export function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

/** Narrows a method by its kind. */
export function isServerStreaming(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === 'server_streaming';
}

function unaryForwarder(method: DescMethodUnary, upstream: Upstream) {
  return async (request: Message, context: HandlerContext): Promise<Message> => {
    const response = await forwarded(method, upstream, context, (transport) =>
      transport.unary(method, context.signal, context.timeoutMs(), upstream.headers(context), request),
    );
    return response.message;
  };
}

function streamForwarder(method: DescMethodServerStreaming, upstream: Upstream) {
  return async function* (request: Message, context: HandlerContext): AsyncGenerator<Message> {
    const grantEnds = context.values.get(grantEndsKey);
    const signal = AbortSignal.any([context.signal, upstream.watchesEnd, grantEnds]);
    const response = await forwarded(method, upstream, context, (transport) =>
      transport.stream(method, signal, context.timeoutMs(), upstream.headers(context), createAsyncIterable([request])),
    );
    try {
      yield* response.message;
    } catch (thrown) {
      if (grantEnds.aborted) throw grantEnds.reason;
      throw upstream.watchesEnd.aborted ? upstream.watchesEnd.reason : passedOn(thrown, upstream.service);
    }
  };
}

async function forwarded<T>(
  method: DescMethod,
  upstream: Upstream,
  context: HandlerContext,
  call: (transport: Transport) => Promise<T>,
): Promise<T> {
  try {
    return await upstream.run(context, call);
  } catch (thrown) {
    if (!isUnavailable(thrown) || !isIdempotent(method)) throw passedOn(thrown, upstream.service);
  }
  // A replica that was just replaced has a successor in a moment; the deadline of the call bounds the wait.
  await pause(systemClock, backoffMs(1, RETRY_DELAY), context.signal);
  try {
    return await upstream.run(context, call);
  } catch (thrown) {
    throw passedOn(thrown, upstream.service);
  }
}

function isIdempotent(method: DescMethod): boolean {
  return method.idempotency === Idempotency.NO_SIDE_EFFECTS || method.idempotency === Idempotency.IDEMPOTENT;
}
