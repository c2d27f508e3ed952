import { LightMessages } from './light-messages.ts';
import { LightSocket } from './light-socket.ts';

export interface LightLinkEvents {
  readonly onMessage: (body: Buffer) => void;
  /** Told once when call or connection end, wanted or not. */
  readonly onEnd: () => void;
}

/** One gRPC stream on a connection of its own: thousands share a process. */
export class LightLink {
  readonly #socket: LightSocket;
  readonly #call: number;

  constructor(url: string, path: string, headers: Readonly<Record<string, string>>, events: LightLinkEvents) {
    const messages = new LightMessages(events.onMessage);
    this.#socket = new LightSocket(url);
    this.#call = this.#socket.open(this.#socket.headers(path, headers), {
      onData: (bytes) => messages.take(bytes),
      onEnd: () => {
        this.#socket.close();
        events.onEnd();
      },
    });
  }

  send(body: Uint8Array): void {
    this.#socket.send(this.#call, body);
  }

  close(): void {
    this.#socket.close();
  }
}
