import { LightMessages } from './light-messages.ts';
import { LightSocket } from './light-socket.ts';

/** Unary gRPC calls, many at once on one connection. */
export class LightConnection implements Disposable {
  readonly #socket: LightSocket;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#socket = new LightSocket(url);
    this.#headers = headers;
  }

  /** One message there and one back. @throws Error when the call ends without an answer. */
  call(path: string, body: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const messages = new LightMessages((message) => (answer = message));
      this.#socket.open(
        this.#socket.headers(path, this.#headers),
        {
          onData: (bytes) => messages.take(bytes),
          onEnd: () => {
            if (answer !== undefined) resolve(answer);
            else reject(new Error(`${path} ended without an answer; the log of the service says why`));
          },
        },
        body,
      );
    });
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
