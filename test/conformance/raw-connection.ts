import { connect, type Socket } from 'node:net';
import { concurrently } from '../fault/concurrently.ts';

const OPEN_MS_MAX = 10_000;

/** A TCP connection that says bytes and listens, and takes whatever its peer does as an answer. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    // A reset is an answer like any other.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => this.#chunks.push(chunk));
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', timeout: OPEN_MS_MAX, noDelay: true });
      const failed = (error: Error): void => reject(error);
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.off('error', failed);
        socket.setTimeout(0);
        resolve(new RawConnection(socket));
      });
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Resolves when the bytes are on their way, or the peer has closed; never faster than the peer reads. */
  async say(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(bytes)) return;
    await Promise.race([new Promise<void>((resolve) => this.#socket.once('drain', () => resolve())), this.closed]);
  }

  /** No more bytes of ours; resolves when the peer has closed, or after a while when it does not. */
  async finish(withinMs: number): Promise<void> {
    this.#socket.end();
    await this.closedWithin(withinMs);
    this.#socket.destroy();
  }

  /** True when the peer closes in time. */
  async closedWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const isClosed = await Promise.race([this.closed.then(() => true), late]);
    clearTimeout(timer);
    return isClosed;
  }

  /** Cuts the connection with a reset, as a machine that crashed. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const CONNECTIONS_AT_ONCE = 40;
/** Long enough for what was said to be taken up. */
const LINGER_MS = 25;

/** Says each sequence of bytes on a connection of its own, waits a little, and leaves: by turns with a goodbye and a reset. */
export async function sayEach(port: number, sequences: readonly Uint8Array[]): Promise<void> {
  await concurrently(sequences, CONNECTIONS_AT_ONCE, async (bytes, index) => {
    using connection = await RawConnection.open(port);
    await connection.say(bytes);
    await connection.closedWithin(LINGER_MS);
    if (index % 2 === 0) await connection.finish(LINGER_MS);
    else connection.reset();
  });
}
