import type { DescMessage, Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { AsyncQueue } from '../async-queue.ts';
import { decodeRequest } from './decode-request.ts';
import type { QuickDecoder } from './endpoint.ts';

/** Where a reader delivers. Each request kind uses what it needs. */
export interface RequestTarget {
  /** The one request of a method that takes one, when the peer has closed its half. */
  readonly onRequest: (request: Message) => void;
  /** The request cannot be read, or the method's shape was broken. */
  readonly onError: (error: unknown) => void;
}

/** The requests of a streaming call as a handler gets them from this server, to be taken without a promise for each. */
export function requestQueue<T>(requests: AsyncIterable<T>): AsyncQueue<T> {
  if (requests instanceof AsyncQueue) return requests;
  throw new TypeError('the requests do not come from a RequestReader');
}

/**
 * Reads the requests of one call. grpc-js gives one message for each `startRead`; a stream is read on only while fewer
 * than `bufferedMax` messages wait for the handler, so that a fast peer is held back by HTTP/2 flow control.
 */
export class RequestReader {
  readonly #call: ServerInterceptingCallInterface;
  readonly #input: DescMessage;
  readonly #quickDecoder: QuickDecoder | undefined;
  readonly #target: RequestTarget;
  readonly #bufferedMax: number;
  /** Undefined for methods that take one message. */
  readonly requests: AsyncQueue<Message> | undefined;
  #single: Uint8Array | undefined;
  #asked = false;
  #asking = false;
  #stopped = false;

  constructor(
    call: ServerInterceptingCallInterface,
    method: {
      readonly input: DescMessage;
      readonly quickDecoder: QuickDecoder | undefined;
      readonly stream: boolean;
    },
    target: RequestTarget,
    bufferedMax: number,
  ) {
    this.#call = call;
    this.#input = method.input;
    this.#quickDecoder = method.quickDecoder;
    this.#target = target;
    this.#bufferedMax = bufferedMax;
    this.requests = method.stream ? new AsyncQueue({ itemsMax: bufferedMax, onTake: () => this.read() }) : undefined;
  }

  /**
   * Asks for messages as long as there is room. grpc-js may deliver within `startRead`, also thousands in a row: they are
   * taken in a loop, because in a recursion a peer could exhaust the stack.
   */
  read(): void {
    if (this.#asking) return;
    this.#asking = true;
    while (!this.#asked && !this.#stopped && (this.requests === undefined || this.requests.size < this.#bufferedMax)) {
      this.#asked = true;
      this.#call.startRead();
    }
    this.#asking = false;
  }

  receive(bytes: Uint8Array): void {
    this.#asked = false;
    if (this.#stopped) return;
    if (this.requests === undefined && this.#single !== undefined) {
      this.#target.onError(
        new ConnectError('this method takes one request message and more came', Code.InvalidArgument),
      );
      return;
    }
    if (this.requests === undefined) this.#single = bytes;
    else {
      const message = this.#decode(bytes);
      // A handler that has left its requests takes nothing more: what still comes is read and forgotten.
      if (message !== undefined) this.requests.push(message);
    }
    this.read();
  }

  receiveEnd(): void {
    this.#asked = true;
    if (this.#stopped) return;
    if (this.requests !== undefined) this.requests.end();
    else if (this.#single === undefined) {
      this.#target.onError(new ConnectError('the request message is missing or cut short', Code.InvalidArgument));
    } else {
      const message = this.#decode(this.#single);
      if (message !== undefined) this.#target.onRequest(message);
    }
  }

  /** The call is over: a handler that still waits for requests gets `error`. */
  stop(error: unknown): void {
    this.#stopped = true;
    this.#single = undefined;
    this.requests?.fail(error);
  }

  #decode(bytes: Uint8Array): Message | undefined {
    try {
      return this.#quickDecoder?.(bytes) ?? decodeRequest(this.#input, bytes);
    } catch (thrown) {
      this.#target.onError(thrown);
      return undefined;
    }
  }
}
