import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { AsyncQueue } from '../async-queue.ts';
import { StatusError } from '../errors.ts';
import { EncodedMessage } from './encoded-message.ts';
import type { GrpcServerLimits } from './server-limits.ts';

/** Messages taken from a queue of a handler before flow control is looked at again. */
const DRAIN_ITEMS_MAX = 16;

/**
 * Yielded by a handler where a message is due: everything that the queue gives, up to its end. What passes through a generator
 * stays in its hands, and in those of a promise, until the next comes. With a thousand streams that are quiet for seconds it has
 * aged by then, and lies about until a full collection.
 */
export class EverythingOf<T extends MessageInitShape<DescMessage>> {
  declare readonly $typeName?: never;
  readonly queue: AsyncQueue<T>;

  constructor(queue: AsyncQueue<T>) {
    this.queue = queue;
  }
}

/**
 * Writes the responses of one call. HTTP/2 joins what is written in one turn; when too many bytes wait for the peer, the
 * handler is not asked for more until half of them are gone.
 */
export class ResponseWriter {
  readonly #call: ServerInterceptingCallInterface;
  readonly #output: DescMessage;
  readonly #limits: GrpcServerLimits;
  readonly #sendHeaders: () => void;
  #waitingBytes = 0;
  #room: (() => void) | undefined;
  /** Runs while there is no room, anew with everything that the peer takes. */
  #stalled: NodeJS.Timeout | undefined;
  #stopped = false;
  #leave: (() => Promise<unknown> | undefined) | undefined;

  constructor(
    call: ServerInterceptingCallInterface,
    output: DescMessage,
    limits: GrpcServerLimits,
    sendHeaders: () => void,
  ) {
    this.#call = call;
    this.#sendHeaders = sendHeaders;
    this.#output = output;
    this.#limits = limits;
  }

  /** Bytes that the peer has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Writes one message; nothing after the end of the call.
   * @throws StatusError MESSAGE_TOO_LARGE, or what the encoder throws for a value that the field cannot hold. */
  write(init: MessageInitShape<DescMessage>): void {
    if (this.#stopped) return;
    const encoded = init instanceof EncodedMessage ? init.bytes : toBinary(this.#output, create(this.#output, init));
    const { sendBytesMax, responseBytesBufferedMax } = this.#limits;
    if (encoded.length > sendBytesMax) {
      const message = `the answer has ${encoded.length} bytes, more than the ${sendBytesMax} this port sends; ask for less`;
      const metadata = { bytes_max: String(sendBytesMax) };
      throw new StatusError('ResourceExhausted', 'MESSAGE_TOO_LARGE', message, { metadata });
    }
    this.#sendHeaders();
    this.#waitingBytes += encoded.length;
    this.#call.sendMessage(Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength), () => {
      this.#waitingBytes -= encoded.length;
      this.#stalled?.refresh();
      if (this.#waitingBytes <= responseBytesBufferedMax / 2) this.#room?.();
    });
  }

  /** Writes everything that `output` gives. Resolves at its end or when the call is over, rejects when it throws. */
  async writeAll(output: AsyncIterable<MessageInitShape<DescMessage>>): Promise<void> {
    const iterator = output[Symbol.asyncIterator]();
    const leave = (): Promise<unknown> | undefined => iterator.return?.();
    this.#leave = leave;
    if (iterator instanceof AsyncQueue) {
      await this.#writeQueue(iterator);
      return;
    }
    for (;;) {
      const result = await iterator.next();
      if (this.#stopped || result.done === true) return;
      if (result.value instanceof EverythingOf) await this.#writeQueue(result.value.queue);
      else this.write(result.value);
      if (this.#full) await this.#roomAgain();
    }
  }

  /** The call is over: a generator that waits at a `yield` is ended, one that waits for something else ends after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#room?.();
    await this.#leave?.();
  }

  get #full(): boolean {
    return this.#waitingBytes > this.#limits.responseBytesBufferedMax;
  }

  /** As the loop above without a promise for each message. */
  async #writeQueue(queue: AsyncQueue<MessageInitShape<DescMessage>>): Promise<void> {
    while (!this.#stopped && (await queue.readable())) {
      if (this.#stopped) return;
      for (const message of queue.drain(DRAIN_ITEMS_MAX)) this.write(message);
      if (this.#full) await this.#roomAgain();
    }
  }

  /** @throws StatusError SLOW_CONSUMER when the peer takes nothing for too long. */
  #roomAgain(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stalled = setTimeout(() => reject(this.#stall()), this.#limits.stallMsMax);
      this.#stalled.unref();
      const goOn = (): void => {
        this.#room = undefined;
        clearTimeout(this.#stalled);
        this.#stalled = undefined;
        resolve();
      };
      this.#room = goOn;
    });
  }

  #stall(): StatusError {
    const { stallMsMax } = this.#limits;
    const message = `nothing of ${this.#waitingBytes} bytes was taken for ${stallMsMax} ms`;
    const metadata = { buffered: String(this.#waitingBytes), stall_ms: String(stallMsMax) };
    return new StatusError('ResourceExhausted', 'SLOW_CONSUMER', message, { metadata });
  }
}
