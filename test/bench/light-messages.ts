const PREFIX_BYTES = 5;

/** A message with the prefix that gRPC puts before each. */
export function framed(body: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  message[0] = 0;
  message.writeUInt32BE(body.length, 1);
  message.set(body, PREFIX_BYTES);
  return message;
}

/** Finds the messages in the bytes of one call, which come in pieces of any size. */
export class LightMessages {
  readonly #onMessage: (body: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onMessage: (body: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  take(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (all.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + all.readUInt32BE(at + 1);
      if (end > all.length) break;
      this.#onMessage(all.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#rest = all.subarray(at);
  }
}
