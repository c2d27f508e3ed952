import { randomUUID } from 'node:crypto';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { Metadata, ServerInterceptingCall, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { messageOf } from '../errors.ts';
import { REQUEST_ID_HEADER } from '../identity.ts';
import type { Logger } from '../logger.ts';
import type { SlotMap } from '../slot-map.ts';
import type { Authenticate } from './authenticate.ts';
import { CallContext } from './call-context.ts';
import { type CallEnd, failedEnd, libraryError, stoppingError } from './call-status.ts';
import { clampTimeoutMs } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';
import { addHeaders, headerPairs } from './metadata.ts';
import { RequestReader } from './request-reader.ts';
import { ResponseWriter } from './response-writer.ts';
import type { GrpcServerLimits } from './server-limits.ts';
import { type ErrorContext, reasonOf, toConnectError } from './status.ts';

/** What all calls of one server share. */
export interface CallScope {
  readonly logger: Logger;
  readonly limits: GrpcServerLimits;
  readonly authenticate: Authenticate | undefined;
  readonly open: SlotMap<number, ServerCall>;
}

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type LogLevel = 'debug' | 'info' | 'warn';

/** What signal and request queue of a call say after its regular end. Made once: an error a call costs a stack trace. */
const CALL_ENDED = new ConnectError('the call has ended', Code.Canceled);

/** An unread answer of this size costs less than a timer for it. */
const UNREAD_BYTES_FREE = 16_384;

/** Request ids of callers are taken over when they are plain; anything else gets a fresh one. */
const REQUEST_ID_PATTERN = /^[\w.:-]{1,128}$/;

/** Calls are told apart by their number. */
let calls = 0;

/**
 * Drives one RPC between grpc-js and a Connect handler. It takes the place of grpc-js's own stream objects: messages go
 * straight between HTTP/2 and handler, which saves a Node stream a call and a callback round a message.
 */
export class ServerCall extends ServerInterceptingCall {
  readonly #number = calls++;
  readonly #call: ServerInterceptingCallInterface;
  readonly #endpoint: Endpoint;
  readonly #scope: CallScope;
  readonly #stream: ServerHttp2Stream | undefined;
  readonly #startMs = performance.now();
  readonly #end: (end: CallEnd) => void;
  readonly #reader: RequestReader;
  readonly #writer: ResponseWriter;
  #context: CallContext | undefined;
  #requestId = '';
  #finished = false;
  #headersSent = false;
  #requestTimer: NodeJS.Timeout | undefined;

  constructor(
    call: ServerInterceptingCallInterface,
    endpoint: Endpoint,
    scope: CallScope,
    stream: ServerHttp2Stream | undefined,
  ) {
    super(call);
    const { method } = endpoint;
    this.#call = call;
    this.#endpoint = endpoint;
    this.#scope = scope;
    this.#stream = stream;
    this.#end = call.sendStatus.bind(call);
    // grpc-js ends calls by itself too, at the deadline or for an oversized message: such ends get a reason and a log
    // line like any other.
    const libraryEnds = (end: CallEnd): void => this.#finish(libraryError(end, scope.limits, this.#errorContext()));
    call.sendStatus = libraryEnds;
    this.#reader = new RequestReader(
      call,
      {
        input: method.input,
        quickDecoder: endpoint.quickDecoder,
        stream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      },
      {
        onRequest: (request) => this.#run((context) => this.#answerOne(request, context)),
        onError: (error) => this.#fail(error),
      },
      scope.limits.requestsBufferedMax,
    );
    this.#writer = new ResponseWriter(call, method.output, scope.limits, () => this.#sendHeaders());
  }

  /** Called once by grpc-js; its own listener is not used. */
  override start(_listener: Listener): void {
    this.#scope.open.set(this.#number, this);
    this.#call.start({
      onReceiveMetadata: (metadata) => this.#begin(metadata),
      onReceiveMessage: (bytes: Buffer) => this.#reader.receive(bytes),
      onReceiveHalfClose: () => this.#halfClosed(),
      onCancel: () => this.#cancelled(),
    });
  }

  /**
   * A cancelling peer ends its half and resets the call in one breath. A stream's handler must not take that for "all
   * requests are in", so the end is believed only when what came with it has been looked at.
   */
  #halfClosed(): void {
    const believe = (): void => {
      if (!this.#finished && this.#stream?.aborted !== true) this.#reader.receiveEnd();
    };
    if (this.#reader.requests === undefined) believe();
    else setImmediate(believe);
  }

  /** The server wants to stop: a stream's handler is told by its signal, a unary call may finish. */
  stopSoon(): void {
    if (this.#streaming) this.#context?.abort(stoppingError(this.#errorContext()));
  }

  /** Ends the call UNAVAILABLE because the server stops. */
  cut(): void {
    this.#finish(stoppingError(this.#errorContext()));
  }

  get #streaming(): boolean {
    return this.#endpoint.method.methodKind !== 'unary';
  }

  #begin(metadata: Metadata): void {
    try {
      const context = this.#makeContext(headerPairs(metadata));
      this.#context = context;
      const { authenticate } = this.#scope;
      if (authenticate === undefined) this.#accept();
      else {
        authenticate(context, this.#endpoint.method)
          .then((values) => {
            if (values !== undefined) context.values = values;
            return this.#accept();
          })
          .catch((thrown: unknown) => this.#fail(thrown));
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #makeContext(pairs: [string, string][]): CallContext {
    const given = pairs.find(([key]) => key === REQUEST_ID_HEADER)?.[1];
    this.#requestId = given !== undefined && REQUEST_ID_PATTERN.test(given) ? given : randomUUID();
    const deadline = Number(this.#call.getDeadline());
    const timeoutMs = deadline === Number.POSITIVE_INFINITY ? undefined : clampTimeoutMs(deadline - Date.now());
    const deadlineMs = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    return new CallContext(this.#endpoint, this.#call.getHost(), this.#requestId, pairs, deadlineMs);
  }

  #accept(): void {
    if (this.#finished) return;
    if (this.#streaming) this.#log('info', 'stream opened', {});
    const { requests } = this.#reader;
    if (requests === undefined) this.#limitRequestTime();
    else this.#run((context) => this.#answerMany(requests, context));
    this.#reader.read();
  }

  /** A peer that opens a call and never sends its one request would hold the call for ever. */
  #limitRequestTime(): void {
    this.#requestTimer = setTimeout(() => {
      this.#fail(new ConnectError('the request message did not come in time', Code.DeadlineExceeded));
    }, this.#scope.limits.requestMsMax);
    this.#requestTimer.unref();
  }

  #run(answer: (context: CallContext) => Promise<void>): void {
    clearTimeout(this.#requestTimer);
    if (this.#context === undefined) return;
    answer(this.#context)
      .then(() => this.#finish(undefined))
      .catch((thrown: unknown) => this.#fail(thrown));
    // A stream that stays silent at first is still seen as open by its peer.
    if (this.#streaming) setImmediate(() => this.#sendHeaders());
  }

  async #answerOne(request: Message, context: CallContext): Promise<void> {
    const { spec } = this.#endpoint;
    if (spec.kind === 'unary') this.#writer.write(await spec.impl(request, context));
    else if (spec.kind === 'server_streaming') await this.#writer.writeAll(spec.impl(request, context));
  }

  async #answerMany(requests: AsyncIterable<Message>, context: CallContext): Promise<void> {
    const { spec } = this.#endpoint;
    if (spec.kind === 'client_streaming') this.#writer.write(await spec.impl(requests, context));
    else if (spec.kind === 'bidi_streaming') await this.#writer.writeAll(spec.impl(requests, context));
  }

  #sendHeaders(): void {
    if (this.#headersSent || this.#finished || this.#context === undefined) return;
    this.#headersSent = true;
    try {
      this.#call.sendMetadata(addHeaders(new Metadata(), this.#context.responsePairs()));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #errorContext(): ErrorContext {
    return { requestId: this.#requestId, logger: this.#scope.logger };
  }

  #fail(thrown: unknown): void {
    if (!this.#finished) this.#finish(toConnectError(thrown, this.#errorContext()));
  }

  /** Ends the call once: status to the peer, abort to the handler, one line to the log. */
  #finish(error: ConnectError | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    let end = error;
    try {
      this.#end(this.#endOf(error));
    } catch (thrown) {
      // A trailer that a handler set and no header can hold.
      end = toConnectError(thrown, this.#errorContext());
      this.#end(failedEnd(end, new Metadata()));
    }
    this.#release(end);
  }

  #endOf(error: ConnectError | undefined): CallEnd {
    const trailer = addHeaders(new Metadata(), this.#context?.trailerPairs() ?? []);
    return error === undefined ? { code: status.OK, details: '', metadata: trailer } : failedEnd(error, trailer);
  }

  /** The peer has cancelled or is gone; grpc-js also calls it after every regular end. */
  #cancelled(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#release(new ConnectError('the caller cancelled the call or is gone', Code.Canceled));
  }

  #release(failure: ConnectError | undefined): void {
    clearTimeout(this.#requestTimer);
    this.#scope.open.delete(this.#number);
    this.#reader.stop(failure ?? CALL_ENDED);
    this.#context?.abort(failure ?? CALL_ENDED);
    this.#limitUnreadTime();
    this.#writer.stop().catch((thrown: unknown) => {
      this.#log('warn', 'handler failed after the end of its call', { detail: messageOf(thrown) });
    });
    const message = this.#streaming ? 'stream closed' : 'call';
    if (failure === undefined) this.#log(this.#streaming ? 'info' : 'debug', message, { code: 'Ok' });
    else {
      const fields = { code: Code[failure.code], reason: reasonOf(failure), detail: failure.rawMessage };
      this.#log(failure.code === Code.Canceled ? 'info' : 'warn', message, fields);
    }
  }

  /** The status waits behind answers that the peer does not read, and with it everything that the stream holds. */
  #limitUnreadTime(): void {
    const stream = this.#stream;
    const unread = this.#streaming || this.#writer.waitingBytes > UNREAD_BYTES_FREE;
    if (stream === undefined || stream.closed || !unread) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), this.#scope.limits.unreadMsMax);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    const { logger } = this.#scope;
    if (!logger.isLevelEnabled(level)) return;
    const { remoteAddress, remotePort } = this.#call.getConnectionInfo();
    const ms = Math.round((performance.now() - this.#startMs) * 10) / 10;
    const peer = `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`;
    logger[level]({ rpc: this.#endpoint.path, requestId: this.#requestId, peer, ms, ...fields }, message);
  }
}
