import type { JsonObject } from '@bufbuild/protobuf';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** An answer of the gateway on its way to the verifier. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What a mutation makes of calls and answers. */
export interface DoorChange {
  /** The path that the changed gateway serves in place of `path`. */
  readonly path?: (path: string) => string;
  readonly answer?: (answer: Answer, path: string) => Answer;
  /** To what its streams say. */
  readonly said?: (message: JsonObject) => JsonObject;
}

/**
 * Stands between the verifier and the gateway: puts the credential of the provider's state where the pact has an example, and lets
 * a mutation change what the gateway serves.
 */
export class DoorProxy implements AsyncDisposable {
  readonly url: string;
  /** Bearer of the caller that the provider's state speaks of. */
  bearer = '';
  change: DoorChange = {};
  /** Ids of which the pact speaks, and the real ones that stand behind them in the provider's state. */
  readonly stands = new Map<string, string>();
  readonly #server: Server;

  private constructor(server: Server, gateway: string) {
    this.#server = server;
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    server.on('request', (incoming, outgoing) => {
      const asked = incoming.url ?? '/';
      buffer(incoming)
        .then((body) =>
          this.#ask(
            gateway,
            incoming.method ?? 'POST',
            asked,
            incoming.headers['content-type'] ?? '',
            this.#real(body),
          ),
        )
        .then((answer) => this.change.answer?.(answer, asked) ?? answer)
        .then(
          ({ status, contentType, body }) => outgoing.writeHead(status, { 'content-type': contentType }).end(body),
          (thrown: unknown) => outgoing.writeHead(502, { 'content-type': 'text/plain' }).end(String(thrown)),
        );
    });
  }

  static async start(gateway: string): Promise<DoorProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DoorProxy(server, gateway);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #real(body: Buffer): Buffer {
    if (this.stands.size === 0) return body;
    let text = body.toString('utf8');
    for (const [sample, real] of this.stands) text = text.replaceAll(sample, () => real);
    return Buffer.from(text);
  }

  #ask(gateway: string, method: string, path: string, contentType: string, body: Buffer): Promise<Answer> {
    const served = this.change.path?.(path) ?? path;
    const headers = {
      'content-type': contentType,
      authorization: `Bearer ${this.bearer}`,
      'content-length': body.length,
    };
    return new Promise((resolve, reject) => {
      const call = httpRequest(`${gateway}${served}`, { method, headers, agent: false }, (response) => {
        buffer(response).then(
          (bytes) =>
            resolve({
              status: response.statusCode ?? 0,
              contentType: response.headers['content-type'] ?? '',
              body: bytes.toString('utf8'),
            }),
          reject,
        );
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}
