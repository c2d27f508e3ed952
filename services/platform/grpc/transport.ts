import {
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type StreamResponse, type Transport, type UnaryResponse } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import { connected, openPeer, type Peer, seemsReachable } from './channel.ts';
import { type CallStart, callUnary, encode } from './client-call.ts';
import { callStream } from './client-stream.ts';
import { clampTimeoutMs } from './deadline.ts';
import { pathOf } from './endpoint.ts';
import { addHeaders } from './metadata.ts';

export interface GrpcTransportOptions {
  /** `http://host:port` or `https://host:port`. Several: calls go round, and past those that cannot be reached. */
  readonly urls: readonly string[];
  /** Added to every call, read at each; the call's own headers win. */
  readonly headers?: () => Record<string, string>;
  /** Deadline of unary calls that bring none. Streams have none unless the call gives one. Default: none. */
  readonly timeoutMs?: number;
  /** Silence after which the connection is pinged. Default 10 s. */
  readonly keepaliveMs?: number;
  /** True gives this transport its own TCP connection; otherwise transports of a process to one peer share theirs. */
  readonly ownConnection?: boolean;
  /** Largest message either way. Default 16 MiB. */
  readonly messageBytesMax?: number;
}

/** A Connect transport over grpc-js. `close` ends its connections; calls after it fail. */
export interface GrpcTransport extends Transport {
  close(): void;
}

type HeaderInit = ConstructorParameters<typeof Headers>[0];

const KEEPALIVE_MS = 10_000;
const MESSAGE_BYTES_MAX = 16 * 1_048_576;
/** How long a stream without a deadline waits for each peer to be connected. */
const CONNECT_MS_MAX = 5_000;

/**
 * Makes a transport for `createClient`. Nothing is connected before the first call.
 * @throws Error naming the URL that cannot be used.
 */
export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  if (options.urls.length === 0) throw new Error('a transport needs at least one URL to call');
  const settings = {
    keepaliveMs: options.keepaliveMs ?? KEEPALIVE_MS,
    ownConnection: options.ownConnection ?? false,
    messageBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
  };
  const peers = options.urls.map((url) => openPeer(url, settings));
  let turn = 0;
  let closed = false;

  /** All peers, beginning with the next in turn, those known to be unreachable last. */
  const inTurn = (): Peer[] => {
    if (closed) throw new ConnectError('the transport is closed', Code.Unavailable);
    if (peers.length === 1) return peers;
    const first = turn++ % peers.length;
    const rotated = [...peers.slice(first), ...peers.slice(0, first)];
    return [...rotated.filter(seemsReachable), ...rotated.filter((peer) => !seemsReachable(peer))];
  };

  const prepare = (
    method: DescMethodUnary | DescMethodStreaming,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeaderInit,
  ): CallStart => {
    const metadata = addHeaders(new Metadata(), Object.entries(options.headers?.() ?? {}));
    if (header !== undefined) addHeaders(metadata, new Headers(header));
    const effectiveMs = clampTimeoutMs(timeoutMs ?? (method.methodKind === 'unary' ? options.timeoutMs : undefined));
    const limited = effectiveMs !== undefined && effectiveMs > 0;
    return {
      path: pathOf(method),
      metadata,
      deadlineMs: limited ? Date.now() + effectiveMs : Number.POSITIVE_INFINITY,
      signal,
    };
  };

  return {
    async unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderInit,
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      const start = prepare(method, signal, timeoutMs, header);
      const request = encode(method.input, input);
      let failure: ConnectError | undefined;
      for (const peer of inTurn()) {
        const outcome = await callUnary(peer, start, request);
        if (outcome.kind === 'answered') {
          return {
            stream: false,
            service: method.parent,
            method,
            header: outcome.header,
            message: decode(method, outcome.bytes, peer),
            trailer: outcome.trailer,
          };
        }
        failure = outcome.error;
        if (!outcome.neverLeft) break;
      }
      throw failure ?? unreachable(peers);
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderInit,
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const start = prepare(method, signal, timeoutMs, header);
      const peer = await choose(inTurn(), start);
      const outcome = await callStream(peer, start, method, input);
      return {
        stream: true,
        service: method.parent,
        method,
        header: outcome.header,
        message: outcome.answers,
        trailer: outcome.trailer,
      };
    },

    close(): void {
      closed = true;
      for (const peer of peers) peer.channel.close();
    },
  };
}

/** A stream takes its messages from the caller once, so the peer is chosen before it begins. */
async function choose(peers: readonly Peer[], start: CallStart): Promise<Peer> {
  const [only] = peers;
  if (only !== undefined && peers.length === 1) return only;
  for (const peer of peers) {
    if (await connected(peer, Math.min(start.deadlineMs, Date.now() + CONNECT_MS_MAX))) return peer;
  }
  throw unreachable(peers);
}

function unreachable(peers: readonly Peer[]): ConnectError {
  return new ConnectError(`cannot reach any of ${peers.map((peer) => peer.url).join(', ')}`, Code.Unavailable);
}

function decode<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  bytes: Uint8Array,
  peer: Peer,
) {
  try {
    return fromBinary(method.output, bytes);
  } catch (thrown) {
    throw new ConnectError(
      `${peer.url} sent what is not a ${method.output.typeName}: ${messageOf(thrown)}`,
      Code.Internal,
    );
  }
}
