import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { type SessionLimits, superviseSession } from './http2-session.ts';

/** A request over either version of HTTP. */
export type EdgeRequest = http.IncomingMessage | http2.Http2ServerRequest;
export type EdgeResponse = http.ServerResponse | http2.Http2ServerResponse;

/** Bounds of what a peer can hold open or make us hold. */
export interface ListenerLimits extends SessionLimits {
  readonly connectionsMax: number;
  /** HTTP/2 streams of one connection. */
  readonly streamsMax: number;
  /** From the first byte of a request to the last of its headers; also from connecting to the first byte. */
  readonly headersMs: number;
  /** From the first byte of a request to the last of its body (HTTP/1.1; HTTP/2 bodies are bounded where they are read). */
  readonly requestMs: number;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  readonly onRequest: (request: EdgeRequest, response: EdgeResponse) => void;
}

export interface EdgeListener {
  /** Binds; resolves with the port. */
  start(): Promise<number>;
  /** Takes no more connections and says goodbye on the open ones. Resolves when none is left, at the latest after `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

/** What every HTTP/2 client says first (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADER_BYTES_MAX = 16 * 1_024;
/** Memory that one HTTP/2 connection may make us hold, in MiB. */
const SESSION_MIB_MAX = 48;
/** Streams that a peer may reset in a burst, and per second: an honest one cancels many calls at once, an attack never stops. */
const STREAM_RESETS = { burst: 2_000, perSecond: 500 } as const;
const SOCKET_KEEPALIVE_MS = 15_000;
/** While stopping, connections of HTTP/1.1 whose last answer is out are closed this often. */
const IDLE_CLOSE_INTERVAL_MS = 50;

/**
 * One port for HTTP/1.1 and HTTP/2, in cleartext (prior knowledge) or TLS: the first bytes of a connection decide which server
 * gets the socket. The HTTP/1.1 server owns the port, because its timeouts are only kept while it listens.
 */
export function createListener(options: ListenerOptions): EdgeListener {
  const { limits, logger } = options;
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  const http1 = createHttp1(options);
  const http2Server = createHttp2(options, sessions);
  const event = options.tls === undefined ? 'connection' : 'secureConnection';
  const serveHttp1 = http1.listeners(event);
  http1.removeAllListeners(event);
  http1.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A reset peer is its own affair; without this listener it would end the process.
    socket.on('error', (thrown) => logger.debug({ cause: messageOf(thrown) }, 'socket failed'));
    socket.setKeepAlive(true, SOCKET_KEEPALIVE_MS);
    socket.setNoDelay(true);
    undecided.add(socket);
    socket.once('close', () => undecided.delete(socket));
    sniff(socket, limits.headersMs, (isHttp2) => {
      undecided.delete(socket);
      if (isHttp2) http2Server.emit('connection', socket);
      else for (const serve of serveHttp1) serve.call(http1, socket);
    });
  });
  http1.on('drop', () => logger.warn({ connectionsMax: limits.connectionsMax }, 'connection refused: too many open'));

  return {
    start: () =>
      new Promise((resolve, reject) => {
        http1.once('error', reject);
        http1.listen(options.port, options.host, () => {
          http1.off('error', reject);
          http1.on('error', (thrown) => logger.error({ err: thrown }, 'listener failed'));
          resolve(boundPort(http1));
        });
      }),
    async stop(withinMs) {
      if (!http1.listening) return;
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      for (const socket of undecided) socket.destroy();
      for (const session of sessions) session.close();
      const idleCloser = setInterval(() => http1.closeIdleConnections(), IDLE_CLOSE_INTERVAL_MS);
      const cut = setTimeout(() => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      }, withinMs);
      try {
        await closed;
      } finally {
        clearInterval(idleCloser);
        clearTimeout(cut);
      }
    },
  };
}

function boundPort(server: http.Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function createHttp1({ tls, limits, onRequest }: ListenerOptions): http.Server | https.Server {
  const serverOptions = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, limits.headersMs / 2)),
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  const server =
    tls === undefined
      ? http.createServer(serverOptions, onRequest)
      : https.createServer(
          { ...serverOptions, ...tls, ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: limits.headersMs },
          onRequest,
        );
  server.maxConnections = limits.connectionsMax;
  // "Expect: 100-continue" goes to the same place: the body is asked for when it is read, and not when it is refused.
  server.on('checkContinue', onRequest);
  return server;
}

function createHttp2(options: ListenerOptions, sessions: Set<http2.ServerHttp2Session>): http2.Http2Server {
  const { limits, logger } = options;
  const server = http2.createServer(
    {
      settings: { maxConcurrentStreams: limits.streamsMax, maxHeaderListSize: HEADER_BYTES_MAX, enablePush: false },
      maxSessionMemory: SESSION_MIB_MAX,
      streamResetBurst: STREAM_RESETS.burst,
      streamResetRate: STREAM_RESETS.perSecond,
    },
    options.onRequest,
  );
  passOpenStreams(server);
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    superviseSession(session, limits, logger);
  });
  server.on('sessionError', (thrown) => logger.debug({ cause: messageOf(thrown) }, 'session failed'));
  return server;
}

/** Drops calls that were reset before their turn: thousands of them must cost little more than their frames. */
function passOpenStreams(server: http2.Http2Server): void {
  const listeners = server.listeners('stream');
  server.removeAllListeners('stream');
  server.on('stream', (stream, ...rest) => {
    if (stream.closed) {
      // Its failure is its peer's doing, and unheard it would end the process.
      stream.on('error', () => stream.destroy());
      return;
    }
    for (const listener of listeners) Reflect.apply(listener, server, [stream, ...rest]);
  });
}

/** Waits for enough bytes to tell HTTP/2 from anything else, puts them back, and says which it is. */
function sniff(socket: Socket, withinMs: number, decide: (isHttp2: boolean) => void): void {
  const timer = setTimeout(() => socket.destroy(), withinMs);
  let seen = Buffer.alloc(0);
  const onReadable = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, HTTP2_PREFACE.length);
    const alike = seen.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared));
    // "PRI " is no HTTP/1.1 method that anybody serves; until the preface is whole or broken, more bytes are needed.
    if (alike && compared < HTTP2_PREFACE.length) return;
    done();
    socket.unshift(seen);
    decide(alike);
  };
  const done = (): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('close', done);
  };
  // HTTP/1.1 keeps half-closed sockets; one that has said nothing wants nothing.
  const onEnd = (): void => void socket.destroy();
  socket.on('readable', onReadable);
  socket.once('end', onEnd);
  socket.once('close', done);
}
