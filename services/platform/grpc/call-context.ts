import { type ContextValues, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { REQUEST_ID_HEADER } from '../identity.ts';
import type { HeaderReader } from './authenticate.ts';
import type { Endpoint } from './endpoint.ts';

type Pairs = readonly (readonly [string, string])[];

/**
 * What a handler is told of its call. Few ask for headers or for the signal, and Connect's own context makes three sets of
 * headers, two abort controllers and a timer for each call: here each is made when somebody asks for it. The deadline is
 * grpc-js's, which ends the call and with it the context.
 */
export class CallContext implements HandlerContext, HeaderReader {
  readonly service: HandlerContext['service'];
  readonly method: HandlerContext['method'];
  readonly protocolName = 'grpc';
  readonly requestMethod = 'POST';
  readonly url: string;
  readonly requestId: string;
  values: ContextValues = createContextValues();
  readonly #pairs: Pairs;
  readonly #deadlineMs: number | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  /** `pairs`: headers of the request. `deadlineMs`: on the wall clock, undefined for none. */
  constructor(endpoint: Endpoint, host: string, requestId: string, pairs: Pairs, deadlineMs: number | undefined) {
    this.service = endpoint.service;
    this.method = endpoint.method;
    this.url = `http://${host}${endpoint.path}`;
    this.requestId = requestId;
    this.#pairs = pairs;
    this.#deadlineMs = deadlineMs;
  }

  timeoutMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : this.#deadlineMs - Date.now();
  }

  /** A header of the request, without making all of them. */
  get(name: string): string | null {
    const values = this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  }

  get requestHeader(): Headers {
    if (this.#requestHeader === undefined) {
      this.#requestHeader = new Headers(this.#pairs.map(([key, value]): [string, string] => [key, value]));
      this.#requestHeader.set(REQUEST_ID_HEADER, this.requestId);
    }
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers({ [REQUEST_ID_HEADER]: this.requestId });
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** What `responseHeader` holds, or would. */
  responsePairs(): Iterable<readonly [string, string]> {
    return this.#responseHeader ?? [[REQUEST_ID_HEADER, this.requestId]];
  }

  /** What `responseTrailer` holds. */
  trailerPairs(): Iterable<readonly [string, string]> {
    return this.#responseTrailer ?? [];
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Ends the call for its handler, once. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}
