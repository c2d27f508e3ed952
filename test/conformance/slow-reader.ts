import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { type Answer, fromTrailers, unreadable } from './answer.ts';
import { frameBytes } from './conversation.ts';
import type { Target } from './wire-http1.ts';
import { headersOf } from './wire-http2.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** An agent that says Hello, takes as much as it may at once, and then reads nothing until it is told to. */
export class SlowReader implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  /** How its stream ended, once it reads again; a reset without a status counts as unreadable. */
  readonly end: Promise<Answer>;

  constructor(target: Target) {
    this.#session = connect(target.url);
    this.#stream = this.#session.request({
      ':method': 'POST',
      ':path': pathOf(ExecutorLinkService.method.connect),
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      authorization: `Bearer ${target.bearer}`,
    });
    this.end = new Promise((resolve) => {
      this.#stream.on('trailers', (headers) => {
        resolve(
          fromTrailers(headersOf(headers), ExecutorLinkService.method.connect, undefined) ?? unreadable('no status'),
        );
      });
      for (const source of [this.#session, this.#stream]) {
        source.on('error', (error: Error) => resolve(unreadable(error.message)));
        source.on('close', () => resolve(unreadable('closed')));
      }
    });
    const hello = { journalId: 'slow', contractDigest: OWN_DIGEST, kinds: ['ping'], inFlightMax: 10_000 };
    this.#stream.write(encodeEnvelope(0, frameBytes({ frame: { case: 'hello', value: hello } })));
  }

  get isOpen(): boolean {
    return !this.#stream.closed && !this.#stream.destroyed;
  }

  /** Asks for answers, which it will not read. */
  ask(heartbeats: number): void {
    const frame = encodeEnvelope(0, frameBytes({ frame: { case: 'heartbeat', value: { number: 1n } } }));
    for (let at = 0; at < heartbeats; at += 1) this.#stream.write(frame);
  }

  read(): void {
    this.#stream.resume();
  }

  [Symbol.dispose](): void {
    this.#session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
  }
}
