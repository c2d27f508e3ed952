import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { AsyncQueue } from '../async-queue.ts';
import { encode, type GrpcCall } from './client-call.ts';

/** Bytes that wait for the connection, above which the input is no longer asked for more. */
const WAITING_BYTES_MAX = 262_144;
const DRAIN_ITEMS_MAX = 16;

/**
 * Sends the messages of an input through a call. grpc-js keeps room for one message: the next is handed over when it has
 * taken the last, driven by its callback rather than by a promise a message.
 */
export class StreamSender<I extends DescMessage> {
  readonly #call: GrpcCall;
  readonly #schema: I;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #sending = false;
  #inputEnded = false;
  #stopped = false;
  #room: (() => void) | undefined;
  #leave: (() => Promise<unknown> | undefined) | undefined;

  constructor(call: GrpcCall, schema: I) {
    this.#call = call;
    this.#schema = schema;
  }

  /** Resolves when the whole input was handed over; rejects when the input throws or a message cannot be encoded. */
  async send(input: AsyncIterable<MessageInitShape<I>>): Promise<void> {
    const iterator = input[Symbol.asyncIterator]();
    const leave = (): Promise<unknown> | undefined => iterator.return?.();
    this.#leave = leave;
    if (iterator instanceof AsyncQueue) await this.#sendQueue(iterator);
    else {
      for (;;) {
        const result = await iterator.next();
        if (this.#stopped) return;
        if (result.done === true) break;
        this.#write(result.value);
        if (this.#waitingBytes > WAITING_BYTES_MAX) await this.#roomAgain();
      }
    }
    if (this.#stopped) return;
    this.#inputEnded = true;
    if (!this.#sending) this.#call.halfClose();
  }

  /** The call is over: nothing more is sent, and the input is told that its consumer has left. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#room?.();
    if (!this.#inputEnded) await this.#leave?.();
  }

  async #sendQueue(queue: AsyncQueue<MessageInitShape<I>>): Promise<void> {
    while (!this.#stopped && (await queue.readable())) {
      if (this.#stopped) return;
      for (const message of queue.drain(DRAIN_ITEMS_MAX)) this.#write(message);
      if (this.#waitingBytes > WAITING_BYTES_MAX) await this.#roomAgain();
    }
  }

  #write(message: MessageInitShape<I>): void {
    const bytes = encode(this.#schema, message);
    this.#waitingBytes += bytes.length;
    if (this.#sending) this.#waiting.push(bytes);
    else this.#hand(bytes);
  }

  #hand(bytes: Buffer): void {
    this.#sending = true;
    const taken = (): void => {
      this.#waitingBytes -= bytes.length;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#hand(next);
      else {
        this.#sending = false;
        if (this.#inputEnded && !this.#stopped) this.#call.halfClose();
      }
      if (this.#waitingBytes <= WAITING_BYTES_MAX / 2) this.#room?.();
    };
    this.#call.sendMessageWithContext({ callback: taken }, bytes);
  }

  #roomAgain(): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#room = undefined;
        resolve();
      };
      this.#room = goOn;
    });
  }
}
