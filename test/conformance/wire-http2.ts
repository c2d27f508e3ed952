import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { type Answer, fromTrailers, refusedWith, unreadable } from './answer.ts';
import { envelopesOf } from './envelopes.ts';
import type { Target } from './wire-http1.ts';

/** Sends gRPC requests as given over HTTP/2 in cleartext, one connection a target. */
export class Http2Wire implements Disposable {
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** Unary and server-streaming methods; a stream counts as accepted with its first message. */
  grpc(target: Target, method: DescMethod, body: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session(target.url).request({
        ':method': 'POST',
        ':path': pathOf(method),
        'content-type': 'application/grpc+proto',
        te: 'trailers',
        authorization: `Bearer ${target.bearer}`,
      });
      let bytes = Buffer.alloc(0);
      const end = (headers: IncomingHttpHeaders): void => {
        const answer = fromTrailers(headersOf(headers), method, envelopesOf(bytes)[0]?.data);
        if (answer !== undefined) resolve(answer);
      };
      stream.on('response', end);
      stream.on('trailers', end);
      stream.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (method.methodKind === 'unary' || envelopesOf(bytes).length === 0) return;
        resolve({ type: 'accepted', response: undefined });
        stream.close(constants.NGHTTP2_CANCEL);
      });
      stream.on('error', (error) => {
        // What gRPC clients make of a stream that is reset so.
        if (stream.rstCode !== constants.NGHTTP2_ENHANCE_YOUR_CALM) reject(error);
        else resolve(refusedWith(new ConnectError('more than the connection takes', Code.ResourceExhausted)));
      });
      stream.on('close', () => resolve(unreadable('the call ended without a gRPC status')));
      stream.end(encodeEnvelope(0, body));
    });
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  #session(url: string): ClientHttp2Session {
    const open = this.#sessions.get(url);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(url);
    // Calls on it fail with the same error, and tell it.
    session.on('error', () => session.destroy());
    this.#sessions.set(url, session);
    return session;
  }
}

export function headersOf(headers: IncomingHttpHeaders): Headers {
  return new Headers(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      name.startsWith(':') || value === undefined ? [] : [[name, String(value)]],
    ),
  );
}
