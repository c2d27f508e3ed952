import { isIP } from 'node:net';
import { Channel, type ChannelCredentials, type ChannelOptions, connectivityState, credentials } from '@grpc/grpc-js';
import { silenceLibraryLog } from './library-log.ts';

/** How one connection to one peer behaves. */
export interface ChannelSettings {
  readonly keepaliveMs: number;
  /** Own TCP connection; otherwise channels with equal settings to one peer share theirs. */
  readonly ownConnection: boolean;
  readonly messageBytesMax: number;
}

/** How long the answer to a ping may take; never longer than the silence that asks for one. */
const KEEPALIVE_TIMEOUT_MS_MAX = 5_000;
/**
 * What grpc-js keeps of a call to repeat it when the peer never saw it. Up to that much it takes messages without waiting
 * for the connection, and its bookkeeping is quadratic in their number: enough for a request, too little to flood.
 */
const RETRY_BUFFER_BYTES = 16_384;
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 1_000;

/** A peer and the connection to it. */
export interface Peer {
  readonly url: string;
  readonly channel: Channel;
}

/**
 * Opens nothing yet: the connection is made by the first call and remade whenever it is lost.
 * @throws Error naming the URL when it is not `http://host:port` or `https://host:port`.
 */
export function openPeer(url: string, settings: ChannelSettings): Peer {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') || parsed.hostname === '') {
    throw new Error(`"${url}" is not a URL to call; write http://host:port or https://host:port`);
  }
  silenceLibraryLog();
  const secure = parsed.protocol === 'https:';
  const port = parsed.port === '' ? (secure ? '443' : '80') : parsed.port;
  const options: ChannelOptions = {
    'grpc.keepalive_time_ms': settings.keepaliveMs,
    'grpc.keepalive_timeout_ms': Math.min(KEEPALIVE_TIMEOUT_MS_MAX, settings.keepaliveMs),
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    'grpc.max_receive_message_length': settings.messageBytesMax,
    'grpc.max_send_message_length': settings.messageBytesMax,
    'grpc.per_rpc_retry_buffer_size': RETRY_BUFFER_BYTES,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
    'grpc.use_local_subchannel_pool': settings.ownConnection ? 1 : 0,
    // A proxy of the environment is for the way out, never for this machine.
    'grpc.enable_http_proxy': isLoopback(parsed.hostname) ? 0 : 1,
  };
  return {
    url: parsed.origin,
    channel: new Channel(
      target(parsed.hostname, port),
      secure ? tlsCredentials() : credentials.createInsecure(),
      options,
    ),
  };
}

/** False while the last attempt to connect failed and the next one waits. */
export function seemsReachable(peer: Peer): boolean {
  return peer.channel.getConnectivityState(false) !== connectivityState.TRANSIENT_FAILURE;
}

/** Resolves with true when the peer is connected, with false when an attempt to connect has failed or the time is over. */
export function connected(peer: Peer, deadlineMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let attempted = false;
    const look = (error?: Error): void => {
      const state = peer.channel.getConnectivityState(true);
      if (state === connectivityState.READY) resolve(true);
      else if (error !== undefined || state === connectivityState.SHUTDOWN) resolve(false);
      else if (state === connectivityState.TRANSIENT_FAILURE && attempted) resolve(false);
      else {
        attempted ||= state === connectivityState.CONNECTING || state === connectivityState.TRANSIENT_FAILURE;
        peer.channel.watchConnectivityState(state, deadlineMs, look);
      }
    };
    look();
  });
}

let madeTlsCredentials: ChannelCredentials | undefined;

/** Made once: a context costs milliseconds, and connections are shared only between equal credentials. */
function tlsCredentials(): ChannelCredentials {
  madeTlsCredentials ??= credentials.createSsl();
  return madeTlsCredentials;
}

function target(hostname: string, port: string): string {
  if (isIP(hostname) === 4) return `ipv4:${hostname}:${port}`;
  if (hostname.startsWith('[')) return `ipv6:${hostname}:${port}`;
  return `dns:${hostname}:${port}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
