import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { type Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import type { Peer } from './channel.ts';
import { errorOf, neverLeft } from './client-error.ts';
import { headerPairs } from './metadata.ts';

/** A call as grpc-js's channel makes it, below its client classes: no Node stream, no emitter, no stack trace a call. */
export type GrpcCall = ReturnType<Peer['channel']['createCall']>;

/** One RPC as the transport hands it down. */
export interface CallStart {
  readonly path: string;
  readonly metadata: Metadata;
  /** Milliseconds since the epoch, clamped; Infinity for none. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A finished unary call. `neverLeft` failures may be repeated on another peer. */
export type UnaryOutcome =
  | { readonly kind: 'answered'; readonly header: Headers; readonly bytes: Uint8Array; readonly trailer: Headers }
  | { readonly kind: 'failed'; readonly error: ConnectError; readonly neverLeft: boolean };

/** Makes one unary call; never rejects. */
export function callUnary(peer: Peer, start: CallStart, request: Buffer): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    const call = peer.channel.createCall(start.path, start.deadlineMs, null, null, null);
    const release = cancelWith(call, start.signal);
    let header: Metadata | undefined;
    let bytes: Buffer | undefined;
    call.start(start.metadata, {
      onReceiveMetadata: (metadata) => {
        header = metadata;
      },
      onReceiveMessage: (message: Buffer) => {
        bytes = message;
      },
      onReceiveStatus: (end) => {
        release();
        if (end.code !== status.OK) {
          resolve({ kind: 'failed', error: endError(end, peer, start.signal), neverLeft: neverLeft(end) });
        } else if (bytes === undefined) {
          const error = new ConnectError(`${peer.url} answered OK without a message`, Code.Internal);
          resolve({ kind: 'failed', error, neverLeft: false });
        } else {
          resolve({ kind: 'answered', header: headersOf(header), bytes, trailer: headersOf(end.metadata) });
        }
      },
    });
    call.sendMessageWithContext({}, request);
    call.halfClose();
    call.startRead();
  });
}

/** Encodes a message for grpc-js, which wants a Buffer. */
export function encode<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Buffer {
  const bytes = toBinary(schema, create(schema, init));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Metadata as fetch headers; none for none. */
export function headersOf(metadata: Metadata | undefined): Headers {
  return metadata === undefined ? new Headers() : new Headers(headerPairs(metadata));
}

/** Cancels the call when the signal aborts; the returned function lets go of the signal. */
export function cancelWith(call: GrpcCall, signal: AbortSignal | undefined): () => void {
  const cancel = (): void => call.cancelWithStatus(status.CANCELLED, 'cancelled by the caller');
  if (signal?.aborted === true) queueMicrotask(cancel);
  else signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}

/** The error of an ended call; a cancellation of our own carries the reason that the signal gave. */
export function endError(end: StatusObject, peer: Peer, signal: AbortSignal | undefined): ConnectError {
  if (signal?.aborted !== true || end.code !== status.CANCELLED) return errorOf(end, peer.url);
  if (signal.reason instanceof ConnectError) return signal.reason;
  return new ConnectError(messageOf(signal.reason), Code.Canceled, undefined, undefined, signal.reason);
}
