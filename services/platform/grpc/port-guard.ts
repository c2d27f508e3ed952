import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { Server as NetServer } from 'node:net';
import { type Server, status } from '@grpc/grpc-js';
import type { Logger } from '../logger.ts';
import { clampTimeoutMs, formatGrpcTimeout, parseGrpcTimeout } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import type { GrpcServerLimits } from './server-limits.ts';

const PING_WINDOW_MS = 10_000;
/** How long a peer that has its answer may keep its half of the call open. */
const HALF_OPEN_MS_MAX = 5_000;

/**
 * Stands before grpc-js on its HTTP/2 servers and keeps what grpc-js has no option for: the caps on connections, on calls
 * of the whole port and on pings, deadlines that overflow, unknown methods, and calls that were reset before their turn.
 */
export class PortGuard {
  readonly #limits: GrpcServerLimits;
  readonly #logger: Logger;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #sessions = new Set<ServerHttp2Session>();
  #openCalls = 0;
  #passing: ServerHttp2Stream | undefined;
  #refusing = false;
  #full = false;

  constructor(limits: GrpcServerLimits, logger: Logger, endpoints: ReadonlyMap<string, Endpoint>) {
    this.#limits = limits;
    this.#logger = logger;
    this.#endpoints = endpoints;
  }

  /** Takes its place on the listening servers of a bound grpc-js server. */
  attach(server: Server): void {
    for (const http2Server of listeningServers(server)) {
      http2Server.maxConnections = this.#limits.connectionsMax;
      http2Server.on('drop', () => this.#dropped());
      http2Server.on('session', (session: ServerHttp2Session) => this.#admit(session));
      const listeners = http2Server.listeners('stream');
      http2Server.removeAllListeners('stream');
      http2Server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
        if (!this.#passes(stream, headers)) return;
        this.#passing = stream;
        for (const listener of listeners) Reflect.apply(listener, http2Server, [stream, headers]);
        this.#passing = undefined;
      });
    }
  }

  /** The HTTP/2 stream of the call that grpc-js is making right now. */
  get passing(): ServerHttp2Stream | undefined {
    return this.#passing;
  }

  /** From now on every new call is answered UNAVAILABLE. */
  refuseCalls(): void {
    this.#refusing = true;
  }

  /** Closes what is left of every connection. grpc-js does not, with its introspection switched off. */
  destroySessions(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #admit(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    this.#full = false;
    let windowStartMs = performance.now();
    let pings = 0;
    session.on('ping', () => {
      const nowMs = performance.now();
      if (nowMs - windowStartMs > PING_WINDOW_MS) {
        windowStartMs = nowMs;
        pings = 0;
      }
      pings += 1;
      if (pings !== this.#limits.pingsPerTenSecondsMax + 1) return;
      this.#logger.warn({ peer: session.socket?.remoteAddress, pings }, 'connection closed, too many pings');
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
    session.once('close', () => this.#sessions.delete(session));
  }

  /** One line for each time the port fills up, not for each connection refused. */
  #dropped(): void {
    if (!this.#full)
      this.#logger.warn({ connectionsMax: this.#limits.connectionsMax }, 'port is full, connections refused');
    this.#full = true;
  }

  /** True when grpc-js may have the call; otherwise it has been answered. */
  #passes(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    stream.on('error', () => stream.destroy());
    // Reset before its turn: an answer would throw.
    if (stream.closed || stream.destroyed) return false;
    this.#openCalls += 1;
    stream.once('close', () => {
      this.#openCalls -= 1;
      setImmediate(letGo, stream);
    });
    stream.once('finish', () => {
      if (!stream.readableEnded && !stream.closed) closeLater(stream);
    });
    if (this.#refusing) return refuse(stream, status.UNAVAILABLE, 'this replica is stopping; call again');
    if (this.#openCalls > this.#limits.callsMax) {
      return refuse(stream, status.UNAVAILABLE, 'this replica has too many open calls; call again later');
    }
    const path = headers[constants.HTTP2_HEADER_PATH];
    const endpoint = typeof path === 'string' ? this.#endpoints.get(path) : undefined;
    if (endpoint === undefined) return refuse(stream, status.UNIMPLEMENTED, 'this port does not serve that method');
    if (!this.#clampDeadline(headers, endpoint)) {
      const message = 'grpc-timeout must be one to eight digits and one of H, M, S, m, u, n';
      return refuse(stream, status.INVALID_ARGUMENT, message);
    }
    return true;
  }

  /** Brings `grpc-timeout` into what timers can hold, and under the cap for unary calls. False when it is malformed. */
  #clampDeadline(headers: IncomingHttpHeaders, endpoint: Endpoint): boolean {
    const given = headers['grpc-timeout'];
    const { unaryMsMax } = this.#limits;
    let timeoutMs: number | undefined;
    if (given !== undefined) {
      timeoutMs = typeof given === 'string' ? clampTimeoutMs(parseGrpcTimeout(given)) : undefined;
      if (timeoutMs === undefined) return false;
    }
    if (endpoint.method.methodKind === 'unary') timeoutMs = Math.min(timeoutMs ?? unaryMsMax, unaryMsMax);
    if (timeoutMs !== undefined) headers['grpc-timeout'] = formatGrpcTimeout(timeoutMs);
    return true;
  }
}

/** grpc-js offers no way to its listening servers; its version is pinned and the shape is checked. */
function listeningServers(server: Server): NetServer[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const found = servers instanceof Map ? [...servers.keys()].filter((key) => key instanceof NetServer) : [];
  if (found.length === 0)
    throw new Error('grpc-js no longer keeps its listening servers where this port can guard them');
  return found;
}

function refuse(stream: ServerHttp2Stream, code: status, message: string): false {
  stream.respond(
    {
      [constants.HTTP2_HEADER_STATUS]: 200,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
      'grpc-status': code,
      'grpc-message': encodeURI(message),
    },
    { endStream: true },
  );
  return false;
}

/** Node's stream outlives its call until the next full collection, and the whole call hangs on its listeners. */
function letGo(stream: ServerHttp2Stream): void {
  stream.removeAllListeners();
  stream.on('error', ignore);
}

function ignore(): void {}

function closeLater(stream: ServerHttp2Stream): void {
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), HALF_OPEN_MS_MAX);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}
