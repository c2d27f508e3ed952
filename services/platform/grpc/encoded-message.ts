/** A message that is already in its binary form: a server writes it as it is. */
export abstract class EncodedMessage {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
