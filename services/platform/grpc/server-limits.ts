import type { ServerOptions } from '@grpc/grpc-js';

/** What a port takes from its peers. Every field has a default in `grpcServerLimits`. */
export interface GrpcServerLimits {
  /** Silence on a connection after which it is pinged, and how long the answer may take. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Open TCP connections; the newest above it is closed at once. */
  readonly connectionsMax: number;
  /** Calls open at once on one connection. */
  readonly streamsPerConnectionMax: number;
  /** Calls open at once on the whole port; above it calls are refused UNAVAILABLE before any work. */
  readonly callsMax: number;
  /** A message larger than this, either way, ends the call RESOURCE_EXHAUSTED. */
  readonly receiveBytesMax: number;
  readonly sendBytesMax: number;
  /** Memory that one connection may hold, in MiB. */
  readonly sessionMemoryMibMax: number;
  /** Pings of a peer within ten seconds; above it the connection is closed. */
  readonly pingsPerTenSecondsMax: number;
  /** A connection without calls is closed after this. */
  readonly connectionIdleMs: number;
  /** A connection is told to move on after this, and cut after the grace; undefined for no end. */
  readonly connectionAgeMs: number | undefined;
  readonly connectionAgeGraceMs: number;
  /** Longest time a unary call may take; a longer deadline is cut to it, a missing one becomes it. */
  readonly unaryMsMax: number;
  /** How long the one request of a call may take to arrive. */
  readonly requestMsMax: number;
  /** Messages of one request stream that wait for the handler; then the stream is no longer read. */
  readonly requestsBufferedMax: number;
  /** Bytes of one response stream that wait for the peer; then the handler is no longer asked for more. */
  readonly responseBytesBufferedMax: number;
  /** How long a peer may take nothing of a stream while so many bytes wait for it; then the call ends SLOW_CONSUMER. */
  readonly stallMsMax: number;
  /** How long the answers of a call that has ended may wait for a peer that does not read them. */
  readonly unreadMsMax: number;
  /** How long `stop` waits for open calls before it cuts them. */
  readonly drainMs: number;
}

const DEFAULTS: GrpcServerLimits = {
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 5_000,
  connectionsMax: 20_000,
  streamsPerConnectionMax: 1_000,
  callsMax: 50_000,
  receiveBytesMax: 4 * 1_048_576,
  sendBytesMax: 16 * 1_048_576,
  sessionMemoryMibMax: 64,
  pingsPerTenSecondsMax: 2_000,
  connectionIdleMs: 300_000,
  connectionAgeMs: undefined,
  connectionAgeGraceMs: 30_000,
  unaryMsMax: 120_000,
  requestMsMax: 20_000,
  requestsBufferedMax: 16,
  responseBytesBufferedMax: 262_144,
  stallMsMax: 30_000,
  unreadMsMax: 10_000,
  drainMs: 3_000,
};

/** Limits with defaults for what is not given. */
export function grpcServerLimits(given: Partial<GrpcServerLimits> = {}): GrpcServerLimits {
  return { ...DEFAULTS, ...given };
}

/** The limits that grpc-js keeps by itself. */
export function serverOptions(limits: GrpcServerLimits): ServerOptions {
  return {
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionMax,
    'grpc.max_receive_message_length': limits.receiveBytesMax,
    'grpc.max_send_message_length': limits.sendBytesMax,
    'grpc-node.max_session_memory': limits.sessionMemoryMibMax,
    'grpc.max_connection_idle_ms': limits.connectionIdleMs,
    'grpc.enable_channelz': 0,
    ...(limits.connectionAgeMs === undefined
      ? {}
      : {
          'grpc.max_connection_age_ms': limits.connectionAgeMs,
          'grpc.max_connection_age_grace_ms': limits.connectionAgeGraceMs,
        }),
  };
}
