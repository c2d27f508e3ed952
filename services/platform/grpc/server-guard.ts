import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server as NetServer } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import type { Logger } from '../logger.ts';
import { clampTimeoutMs, formatGrpcTimeout, parseGrpcTimeout } from './deadline.ts';
import type { Endpoint } from './server-call.ts';
import type { GrpcServerLimits } from './server-limits.ts';

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/**
 * Stands before grpc-js on its HTTP/2 servers and keeps what grpc-js has no option for: the cap on connections, on calls
 * of the whole port and on pings, deadlines that overflow, and calls that were reset before they were looked at.
 */
export function guardServer(
  server: Server,
  limits: GrpcServerLimits,
  logger: Logger,
  endpoints: ReadonlyMap<string, Endpoint>,
  stopping: () => boolean,
): void {
  const port = { open: 0 };
  for (const http2Server of http2ServersOf(server)) {
    http2Server.maxConnections = limits.connectionsMax;
    http2Server.on('drop', (peer) => {
      logger.warn(
        { peer: peer?.remoteAddress, connectionsMax: limits.connectionsMax },
        'connection refused, port is full',
      );
    });
    http2Server.on('session', (session: ServerHttp2Session) => capPings(session, limits, logger));
    const listeners = http2Server.listeners('stream') as StreamListener[];
    http2Server.removeAllListeners('stream');
    http2Server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      // Reset while it waited for its turn: grpc-js would answer into a closed stream and throw.
      if (stream.closed || stream.destroyed) {
        stream.on('error', () => logger.debug('stream was reset at once'));
        return;
      }
      const path = headers[constants.HTTP2_HEADER_PATH];
      const endpoint = typeof path === 'string' ? endpoints.get(path) : undefined;
      if (stopping() || port.open >= limits.callsMax) {
        refuse(
          stream,
          14,
          stopping() ? 'this replica is stopping; call again' : 'this replica has too many open calls; call again',
        );
        return;
      }
      port.open += 1;
      stream.once('close', () => {
        port.open -= 1;
      });
      if (endpoint !== undefined && !clampDeadline(headers, endpoint, limits)) {
        refuse(stream, 3, 'grpc-timeout must be up to eight digits and one of H, M, S, m, u, n');
        return;
      }
      for (const listener of listeners) listener.call(http2Server, stream, headers);
    });
  }
}

/** grpc-js offers no way to its listening servers; the version is pinned and the shape is checked. */
function http2ServersOf(server: Server): NetServer[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map) || servers.size === 0) {
    throw new Error('grpc-js no longer keeps its listening servers in http2Servers; the port cannot be guarded');
  }
  return [...servers.keys()] as NetServer[];
}

/** Brings `grpc-timeout` into what timers can hold, and under the cap for unary calls. False when it is malformed. */
function clampDeadline(headers: IncomingHttpHeaders, endpoint: Endpoint, limits: GrpcServerLimits): boolean {
  const given = headers['grpc-timeout'];
  const unary = endpoint.method.methodKind === 'unary';
  let timeoutMs: number | undefined;
  if (given !== undefined) {
    timeoutMs = typeof given === 'string' ? clampTimeoutMs(parseGrpcTimeout(given)) : undefined;
    if (timeoutMs === undefined) return false;
  }
  if (unary) timeoutMs = Math.min(timeoutMs ?? limits.unaryMsMax, limits.unaryMsMax);
  if (timeoutMs !== undefined) headers['grpc-timeout'] = formatGrpcTimeout(timeoutMs);
  return true;
}

function refuse(stream: ServerHttp2Stream, code: number, message: string): void {
  stream.on('error', () => stream.destroy());
  stream.respond(
    {
      [constants.HTTP2_HEADER_STATUS]: 200,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      'grpc-status': code,
      'grpc-message': encodeURI(message),
    },
    { endStream: true },
  );
}

function capPings(session: ServerHttp2Session, limits: GrpcServerLimits, logger: Logger): void {
  let windowStartMs = performance.now();
  let pings = 0;
  session.on('ping', () => {
    const nowMs = performance.now();
    if (nowMs - windowStartMs > 10_000) {
      windowStartMs = nowMs;
      pings = 0;
    }
    pings += 1;
    if (pings <= limits.pingsPerTenSecondsMax) return;
    logger.warn({ peer: session.socket?.remoteAddress, pings }, 'connection closed, too many pings');
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
}
