import { createServer, connect, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `up`: from the connecting side to the target; `down`: back. */
export type Direction = 'up' | 'down';

/** Bytes travel in pieces of this size when the rate is limited. */
const PIECE_BYTES_MAX = 4_096;
/** Beyond this much on its way in one direction, reading stops. */
const QUEUED_BYTES_MAX = 256 * 1024;

interface Link {
  readonly client: Socket;
  readonly target: Socket;
}

/**
 * A TCP proxy on the loopback interface that does what networks do: cut connections, swallow bytes of one direction while
 * both ends believe in the connection, delay, and slow down.
 */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #links: Set<Link>;
  readonly #weather: Weather;

  private constructor(server: Server, port: number, links: Set<Link>, weather: Weather) {
    this.#server = server;
    this.port = port;
    this.#links = links;
    this.#weather = weather;
  }

  /** Starts a proxy on a free port that forwards to `targetPort`. */
  static async start(targetPort: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const links = new Set<Link>();
    const weather = new Weather();
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (client) => {
      if (weather.refusing) {
        client.resetAndDestroy();
        return;
      }
      const target = connect({ host, port: targetPort, noDelay: true, allowHalfOpen: true });
      const link: Link = { client, target };
      links.add(link);
      forward(client, target, 'up', weather);
      forward(target, client, 'down', weather);
      const end = (): void => {
        links.delete(link);
        client.destroy();
        target.destroy();
      };
      // What fails on one side is what the other side sees as an end; the faults are made here on purpose.
      client.on('error', end).on('close', end);
      target.on('error', end).on('close', end);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new TcpProxy(server, address.port, links, weather);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are open through it. */
  get connections(): number {
    return this.#links.size;
  }

  /** Resets every open connection; new ones are taken. */
  cut(): void {
    for (const { client, target } of this.#links) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** Resets every open connection and every new one until `heal`. */
  refuse(): void {
    this.#weather.refusing = true;
    this.cut();
  }

  /** Swallows bytes of one direction, or of both, without closing anything. Swallowed bytes are gone for good. */
  blackhole(direction: Direction | 'both'): void {
    for (const each of both(direction)) this.#weather.swallowing.add(each);
  }

  /** Holds every byte back for `ms`, in order. */
  delay(ms: number): void {
    this.#weather.delayMs = ms;
  }

  /** Lets at most so many bytes a second through on each connection and direction. */
  limitRate(bytesPerSecond: number): void {
    this.#weather.bytesPerSecond = bytesPerSecond;
  }

  /** Good weather again. Connections that lost bytes to a black hole are cut, as no real network would mend them. */
  heal(): void {
    const lossy = this.#weather.swallowing.size > 0;
    this.#weather.calm();
    if (lossy) this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

class Weather {
  readonly swallowing = new Set<Direction>();
  refusing = false;
  delayMs = 0;
  bytesPerSecond = Number.POSITIVE_INFINITY;

  calm(): void {
    this.swallowing.clear();
    this.refusing = false;
    this.delayMs = 0;
    this.bytesPerSecond = Number.POSITIVE_INFINITY;
  }
}

function both(direction: Direction | 'both'): readonly Direction[] {
  return direction === 'both' ? ['up', 'down'] : [direction];
}

/** Moves bytes one way, in order; reading pauses when too much is on its way, so that the sender feels a slow network. */
function forward(from: Socket, to: Socket, direction: Direction, weather: Weather): void {
  const queue: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  let queuedBytes = 0;
  let moving = false;
  let ended = false;

  const move = async (): Promise<void> => {
    if (moving) return;
    moving = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
      await write(next.bytes, to, direction, weather);
      queuedBytes -= next.bytes.length;
      if (queuedBytes <= QUEUED_BYTES_MAX) from.resume();
    }
    moving = false;
    if (ended && !to.destroyed) to.end();
  };
  const moveOrBreak = (): void => {
    move().catch((thrown: unknown) => to.destroy(thrown instanceof Error ? thrown : new Error(String(thrown))));
  };
  from.on('data', (bytes: Buffer) => {
    if (weather.swallowing.has(direction)) return;
    queue.push({ bytes, dueMs: performance.now() + weather.delayMs });
    queuedBytes += bytes.length;
    if (queuedBytes > QUEUED_BYTES_MAX) from.pause();
    moveOrBreak();
  });
  from.on('end', () => {
    ended = true;
    moveOrBreak();
  });
  from.resume();
}

async function write(bytes: Buffer, to: Socket, direction: Direction, weather: Weather): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += PIECE_BYTES_MAX) {
    if (to.destroyed || weather.swallowing.has(direction)) return;
    const piece = bytes.subarray(offset, offset + PIECE_BYTES_MAX);
    if (!to.write(piece)) await drained(to);
    if (weather.bytesPerSecond !== Number.POSITIVE_INFINITY) {
      await pause((piece.length / weather.bytesPerSecond) * 1_000);
    }
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });
}
