import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';

export interface ReceivedPost {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server on the loopback interface that keeps what it is sent. */
export class HttpSink implements AsyncDisposable {
  readonly posts: ReceivedPost[] = [];
  /** Requests that were answered 503. */
  refused = 0;
  /** While it is set, requests are refused. */
  refusing = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const keep = async (): Promise<void> => {
        const body = await text(request);
        if (this.refusing) this.refused += 1;
        else this.posts.push({ headers: request.headers, body });
        response.writeHead(this.refusing ? 503 : 204).end();
      };
      keep().catch(() => response.destroy());
    });
  }

  static async start(): Promise<HttpSink> {
    const sink = new HttpSink();
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the sink has no port');
    return `http://127.0.0.1:${address.port}/alerts`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
