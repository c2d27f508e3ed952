import { createContextValues } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { v7 } from 'uuid';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { REQUEST_ID_HEADER } from '../../platform/identity.ts';
import type { Logger } from '../../platform/logger.ts';
import type { RateLimiter } from '../domain/token-bucket.ts';
import { CallRecord, recordKey } from './call-record.ts';
import { callerAddress } from './caller-address.ts';
import type { Console } from './console.ts';
import type { Cors } from './cors.ts';
import type { EdgeRequest, EdgeResponse } from './listener.ts';
import { answerJson, answerUnknownPath, type PlainRoutes } from './plain-answer.ts';
import { type RpcRequestLimits, rpcRequest } from './rpc-request.ts';
import { sendResponse } from './send-response.ts';

export interface FrontParts {
  readonly handlers: readonly UniversalHandler[];
  readonly plainRoutes: PlainRoutes;
  readonly console: Console;
  readonly cors: Cors;
  readonly limits: RpcRequestLimits & { readonly stallMs: number };
  /** Trusted proxies before the gateway. */
  readonly forwardedHops: number;
  readonly addressLimiter: RateLimiter;
  readonly clock: Clock;
  readonly logger: Logger;
}

const UNREAD_LINGER_MS = 1_000;
const REQUEST_ID_PATTERN = /^[\x21-\x7e]{1,128}$/;

/** The one function behind the port: gives every request an id and takes it to its RPC, its plain route, or an answer that helps. */
export function createFront(parts: FrontParts): (request: EdgeRequest, response: EdgeResponse) => void {
  const rpcs = new Map(parts.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const requestId = requestIdOf(request);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    response.setHeader('x-content-type-options', 'nosniff');
    // Errors of a stream whose peer is gone are told by its "close".
    response.on('error', (thrown: unknown) =>
      parts.logger.debug({ cause: messageOf(thrown), requestId }, 'answer failed'),
    );
    leaveNothingUnread(request, response);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (parts.cors.apply(request, response)) return;
    const rpc = rpcs.get(path);
    if (rpc !== undefined) {
      serveRpc(parts, rpc, request, response, requestId);
      return;
    }
    const waitMs = parts.addressLimiter.take(addressOf(parts, request), parts.clock.nowMs());
    if (waitMs > 0) {
      response.setHeader('retry-after', String(Math.ceil(waitMs / 1_000)));
      answerJson(response, 429, { code: 'resource_exhausted', message: `too many requests; wait ${waitMs} ms` });
      return;
    }
    if (parts.console.serves(request, path)) {
      parts.console.answer(request, response, path);
      return;
    }
    const route = parts.plainRoutes.get(path);
    if (route !== undefined && (request.method === 'GET' || request.method === 'HEAD')) route(request, response);
    else answerUnknownPath(request, response, path, parts.handlers);
  };
}

function serveRpc(
  parts: FrontParts,
  handler: UniversalHandler,
  request: EdgeRequest,
  response: EdgeResponse,
  requestId: string,
): void {
  const { clock, logger } = parts;
  const record = new CallRecord({
    requestId,
    rpc: handler.requestPath.slice(1),
    address: addressOf(parts, request),
    nowMs: clock.nowMs(),
  });
  response.once('close', () => {
    record.end({ nowMs: clock.nowMs(), complete: response.writableFinished, httpStatus: response.statusCode, logger });
  });
  callHandler(parts, handler, request, response, record).catch((thrown: unknown) => {
    // Handlers answer their own errors, so this is the peer's absence or a defect; either way nothing more can be said.
    logger.debug({ cause: messageOf(thrown), requestId }, 'call cut short');
    response.destroy();
  });
}

async function callHandler(
  parts: FrontParts,
  handler: UniversalHandler,
  request: EdgeRequest,
  response: EdgeResponse,
  record: CallRecord,
): Promise<void> {
  const { method } = request;
  if (method === undefined || !handler.allowedMethods.includes(method)) {
    response.setHeader('allow', handler.allowedMethods.join(', '));
    answerJson(response, 405, {
      code: 'unimplemented',
      message: `${record.rpc} is called with ${handler.allowedMethods.join(' or ')}`,
    });
    return;
  }
  const values = createContextValues().set(recordKey, record);
  const rpc = rpcRequest(handler, request, response, values, record, parts.limits);
  if (rpc === undefined) {
    const message = `content type "${request.headers['content-type'] ?? ''}" is none of an RPC; send application/json`;
    answerJson(response, 415, { code: 'unknown', message });
    return;
  }
  await sendResponse(await handler(rpc), response, parts.limits.stallMs);
}

function requestIdOf(request: EdgeRequest): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && REQUEST_ID_PATTERN.test(given) ? given : v7();
}

function addressOf({ forwardedHops }: FrontParts, request: EdgeRequest): string {
  return callerAddress(request.socket.remoteAddress, request.headers, forwardedHops);
}

/**
 * A body that nobody read to its end must not hold the connection. Its sender gets a moment to see the answer and to stop; then
 * HTTP/2 ends the stream and HTTP/1.1 the connection.
 */
function leaveNothingUnread(request: EdgeRequest, response: EdgeResponse): void {
  const [finished, cut] =
    'stream' in request
      ? // The response of HTTP/2 says "finish" only when its stream is closed, which is what has to be brought about here.
        [request.stream, () => request.stream.close()]
      : [response, () => request.socket.destroySoon()];
  finished.once('finish', () => {
    if (request.complete) return;
    const timer = setTimeout(() => {
      if (!request.complete) cut();
    }, UNREAD_LINGER_MS);
    timer.unref();
    request.once('close', () => clearTimeout(timer));
  });
}
