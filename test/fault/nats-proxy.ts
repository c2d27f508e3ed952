import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

/** How likely each message that a client is sent is treated so. */
export interface MessageWeather {
  readonly drop: number;
  readonly duplicate: number;
  /** Held back until the next message has gone before it. */
  readonly reorder: number;
}

const CALM: MessageWeather = { drop: 0, duplicate: 0, reorder: 0 };

/**
 * A proxy before a NATS server that understands where messages begin and end: it drops, doubles and swaps those that clients
 * are sent, and leaves the rest of the conversation alone.
 */
export class NatsProxy implements AsyncDisposable {
  readonly port: number;
  weather: MessageWeather = CALM;
  /** How many messages were treated how. */
  readonly counts = { passed: 0, dropped: 0, duplicated: 0, reordered: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: Random;
  #target: { readonly host: string; readonly port: number } | undefined;

  private constructor(server: Server, port: number, random: Random) {
    this.#server = server;
    this.port = port;
    this.#random = random;
    server.on('connection', (client) => this.#accept(client));
  }

  /** Listens on a free port; connections are refused until `forwardTo` says where they go. */
  static async start(random: Random): Promise<NatsProxy> {
    const server = createServer();
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new NatsProxy(server, address.port, random);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  forwardTo(natsUrl: string): void {
    const { hostname, port } = new URL(natsUrl);
    this.#target = { host: hostname, port: Number(port) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#target === undefined) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const messages = new MessageReader((piece, isMessage) => this.#pass(client, messages, piece, isMessage));
    const end = (): void => {
      for (const socket of [client, server]) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      // The failure of one side is the end of the other.
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => messages.read(bytes));
  }

  #pass(client: Socket, reader: MessageReader, piece: Buffer, isMessage: boolean): void {
    if (!isMessage) {
      client.write(piece);
      return;
    }
    const { drop, duplicate, reorder } = this.weather;
    const dice = this.#random.next();
    if (dice < drop) {
      this.counts.dropped += 1;
      return;
    }
    if (dice < drop + reorder && reader.held === undefined) {
      this.counts.reordered += 1;
      reader.held = piece;
      return;
    }
    this.counts.passed += 1;
    client.write(piece);
    if (dice > 1 - duplicate) {
      this.counts.duplicated += 1;
      client.write(piece);
    }
    if (reader.held !== undefined) client.write(reader.held);
    reader.held = undefined;
  }
}

const LINE_END = '\r\n';
/** `MSG subject sid [reply] bytes`, `HMSG subject sid [reply] header-bytes bytes`. */
const MESSAGE_LINE = /^H?MSG .* (\d+)$/i;

/** Cuts what a NATS server says into messages and everything else. */
class MessageReader {
  /** A message that waits for another to go before it. */
  held: Buffer | undefined;
  readonly #take: (piece: Buffer, isMessage: boolean) => void;
  #rest = Buffer.alloc(0);

  constructor(take: (piece: Buffer, isMessage: boolean) => void) {
    this.#take = take;
  }

  read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const lineEnd = this.#rest.indexOf(LINE_END);
      if (lineEnd === -1) return;
      const payload = MESSAGE_LINE.exec(this.#rest.subarray(0, lineEnd).toString('latin1'))?.[1];
      const length =
        payload === undefined
          ? lineEnd + LINE_END.length
          : lineEnd + LINE_END.length + Number(payload) + LINE_END.length;
      if (this.#rest.length < length) return;
      this.#take(this.#rest.subarray(0, length), payload !== undefined);
      this.#rest = this.#rest.subarray(length);
    }
  }
}
