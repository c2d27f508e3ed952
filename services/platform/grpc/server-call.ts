import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf';
import { Code, ConnectError, createHandlerContext, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Metadata as GrpcMetadata,
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  status,
} from '@grpc/grpc-js';
import { v7 as uuidv7 } from 'uuid';
import { AsyncQueue } from '../async-queue.ts';
import { messageOf, StatusError, unavailable } from '../errors.ts';
import { REQUEST_ID_HEADER } from '../identity.ts';
import type { Logger } from '../logger.ts';
import { clampTimeoutMs } from './deadline.ts';
import { addHeaders, headerPairs } from './metadata.ts';
import type { Authenticate } from './server.ts';
import type { GrpcServerLimits } from './server-limits.ts';
import { reasonOf, toConnectError } from './status.ts';
import { detailsOf, encodeStatus } from './status-details.ts';

/** A method with its implementation, at its path `/pkg.Service/Method`. */
export interface Endpoint {
  readonly path: string;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly handler: Handler;
}

type Handler = (request: unknown, context: HandlerContext) => unknown;

/** What all calls of one server share. */
export interface CallScope {
  readonly logger: Logger;
  readonly limits: GrpcServerLimits;
  readonly authenticate: Authenticate | undefined;
  /** Streams hear of a stop at once, unary calls when their time to drain is over. */
  readonly streamStop: AbortSignal;
  readonly unaryStop: AbortSignal;
  readonly open: Set<ServerCall>;
}

type PartialStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];
type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Context = ReturnType<typeof createHandlerContext>;

/** The endpoints of a service. */
export function endpointsOf<S extends DescService>(service: S, implementation: ServiceImpl<S>): Endpoint[] {
  const methods = implementation as Readonly<Record<string, Handler | undefined>>;
  return service.methods.map((method) => ({
    path: `/${service.typeName}/${method.name}`,
    service,
    method,
    handler: methods[method.localName]?.bind(implementation) ?? unimplemented(method),
  }));
}

function unimplemented(method: DescMethod): Handler {
  return () => {
    throw new ConnectError(`${method.parent.typeName}.${method.name} is not implemented`, Code.Unimplemented);
  };
}

/** Request ids of callers are taken over when they are plain; anything else gets a fresh one. */
const REQUEST_ID_PATTERN = /^[\w.:-]{1,128}$/;

/**
 * Drives one RPC between grpc-js and a Connect handler. It takes the place of grpc-js's own stream objects: messages go
 * straight between HTTP/2 and handler, which saves a Node stream a call and a callback round a message.
 */
export class ServerCall extends ServerInterceptingCall {
  readonly #call: ServerInterceptingCallInterface;
  readonly #endpoint: Endpoint;
  readonly #scope: CallScope;
  readonly #startMs = performance.now();
  readonly #sendStatus: (status: PartialStatus) => void;
  #context: Context | undefined;
  #requestId = '';
  #finished = false;
  #headersSent = false;
  /** Unary request as received; decoded when the peer has closed its half. */
  #requestBytes: Uint8Array | undefined;
  #requests: AsyncQueue<Message> | undefined;
  #reading = false;
  #unflushedBytes = 0;
  #flushed: (() => void) | undefined;

  constructor(call: ServerInterceptingCallInterface, endpoint: Endpoint, scope: CallScope) {
    super(call);
    this.#call = call;
    this.#endpoint = endpoint;
    this.#scope = scope;
    this.#sendStatus = call.sendStatus.bind(call);
    // grpc-js ends calls by itself too, at the deadline or for an oversized message: such ends get a reason and a log
    // line like any other.
    call.sendStatus = (end) => this.#finish(libraryError(end, scope.limits));
  }

  /** Called once by grpc-js; its own listener is not used. */
  override start(_listener: Listener): void {
    this.#scope.open.add(this);
    this.#call.start({
      onReceiveMetadata: (metadata) => this.#begin(metadata),
      onReceiveMessage: (bytes: Buffer) => this.#receive(bytes),
      onReceiveHalfClose: () => this.#receiveEnd(),
      onCancel: () => this.#cancelled(),
    });
  }

  /** Ends the call UNAVAILABLE because the server stops. */
  cut(): void {
    this.#finish(toConnectError(unavailable('server', 'this replica is stopping; call again'), this.#errorContext()));
  }

  get #streaming(): boolean {
    return this.#endpoint.method.methodKind !== 'unary';
  }

  get #clientStreams(): boolean {
    const { methodKind } = this.#endpoint.method;
    return methodKind === 'client_streaming' || methodKind === 'bidi_streaming';
  }

  #begin(metadata: GrpcMetadata): void {
    try {
      const pairs = headerPairs(metadata);
      const given = pairs.find(([key]) => key === REQUEST_ID_HEADER)?.[1];
      this.#requestId = given !== undefined && REQUEST_ID_PATTERN.test(given) ? given : uuidv7();
      const { service, method, path } = this.#endpoint;
      const deadline = this.#call.getDeadline();
      const timeoutMs =
        deadline === Number.POSITIVE_INFINITY ? undefined : clampTimeoutMs(Number(deadline) - Date.now());
      this.#context = createHandlerContext({
        service,
        method,
        protocolName: 'grpc',
        requestMethod: 'POST',
        url: `http://${this.#call.getHost()}${path}`,
        requestHeader: pairs,
        responseHeader: { [REQUEST_ID_HEADER]: this.#requestId },
        shutdownSignal: this.#streaming ? this.#scope.streamStop : this.#scope.unaryStop,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      if (given !== this.#requestId) this.#context.requestHeader.set(REQUEST_ID_HEADER, this.#requestId);
      if (this.#scope.authenticate === undefined) this.#accept(this.#context);
      else this.#authenticate(this.#scope.authenticate, this.#context);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #authenticate(authenticate: Authenticate, context: Context): void {
    authenticate(context.requestHeader, this.#endpoint.method).then(
      (values) => {
        if (values !== undefined) Object.assign(context, { values });
        this.#accept(context);
      },
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  #accept(context: Context): void {
    if (this.#finished) return;
    if (this.#streaming) this.#log('info', 'stream opened', {});
    if (this.#clientStreams) {
      this.#requests = new AsyncQueue<Message>({
        itemsMax: this.#scope.limits.requestsBufferedMax,
        onTake: () => this.#read(),
      });
      this.#run(this.#requests, context);
    }
    this.#read();
  }

  /** Asks for one more message, unless one is already asked for or enough of them wait. */
  #read(): void {
    if (this.#reading || this.#finished) return;
    if (this.#requests !== undefined && this.#requests.size >= this.#scope.limits.requestsBufferedMax) return;
    this.#reading = true;
    this.#call.startRead();
  }

  #receive(bytes: Buffer): void {
    this.#reading = false;
    if (this.#finished) return;
    if (this.#requests !== undefined) {
      const message = this.#decode(bytes);
      if (message === undefined) return;
      // A consumer that has left takes nothing more; what the peer still sends is read and forgotten.
      this.#requests.push(message);
    } else if (this.#requestBytes === undefined) {
      this.#requestBytes = bytes;
    } else {
      this.#fail(new ConnectError('this method takes one request message, more came', Code.InvalidArgument));
      return;
    }
    this.#read();
  }

  #receiveEnd(): void {
    if (this.#finished) return;
    if (this.#requests !== undefined) {
      this.#requests.end();
      return;
    }
    if (this.#requestBytes === undefined || this.#context === undefined) {
      this.#fail(new ConnectError('the request message is missing or cut short', Code.InvalidArgument));
      return;
    }
    const message = this.#decode(this.#requestBytes);
    if (message !== undefined) this.#run(message, this.#context);
  }

  #decode(bytes: Uint8Array): Message | undefined {
    const { input } = this.#endpoint.method;
    try {
      return fromBinary(input, bytes);
    } catch (thrown) {
      this.#fail(
        new StatusError(
          'InvalidArgument',
          'INVALID_FIELD',
          `the request is not a ${input.typeName}: ${messageOf(thrown)}`,
          {
            metadata: { fields: '' },
            cause: thrown,
          },
        ),
      );
      return undefined;
    }
  }

  #run(request: unknown, context: Context): void {
    const { method, handler } = this.#endpoint;
    if (method.methodKind === 'unary' || method.methodKind === 'client_streaming') {
      this.#answer(request, context).catch((thrown: unknown) => this.#fail(thrown));
    } else {
      let output: AsyncIterable<object>;
      try {
        output = handler(request, context) as AsyncIterable<object>;
      } catch (thrown) {
        this.#fail(thrown);
        return;
      }
      const pumped = output instanceof AsyncQueue ? this.#pumpQueue(output) : this.#pump(output);
      pumped.then(
        () => this.#finish(undefined),
        (thrown: unknown) => this.#fail(thrown),
      );
      // A stream that stays silent is told to its peer as open.
      setImmediate(() => {
        if (!this.#finished) this.#sendHeaders();
      });
    }
  }

  async #answer(request: unknown, context: Context): Promise<void> {
    const response = (await this.#endpoint.handler(request, context)) as object;
    if (this.#finished) return;
    this.#write(response);
    this.#finish(undefined);
  }

  async #pump(output: AsyncIterable<object>): Promise<void> {
    const iterator = output[Symbol.asyncIterator]();
    this.#context?.signal.addEventListener('abort', () => {
      // A generator that waits for something else ends when that comes; one that waits at a yield ends now.
      if (this.#finished)
        iterator
          .return?.()
          .catch((thrown: unknown) => this.#log('warn', 'stream handler failed after its end', { err: thrown }));
    });
    for (;;) {
      const result = await iterator.next();
      if (this.#finished || result.done === true) return;
      this.#write(result.value);
      if (this.#unflushedBytes > this.#scope.limits.responseBytesBufferedMax) await this.#flush();
    }
  }

  /** As `#pump`, without a promise for each message. */
  async #pumpQueue(queue: AsyncQueue<object>): Promise<void> {
    try {
      while (await queue.readable()) {
        for (const message of queue.drain(16)) {
          if (this.#finished) return;
          this.#write(message);
        }
        if (this.#unflushedBytes > this.#scope.limits.responseBytesBufferedMax) await this.#flush();
      }
    } finally {
      await queue.return();
    }
  }

  #write(init: object): void {
    const { output } = this.#endpoint.method;
    const encoded = toBinary<DescMessage>(output, create<DescMessage>(output, init as Message));
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    const { sendBytesMax } = this.#scope.limits;
    if (bytes.length > sendBytesMax) {
      throw new StatusError(
        'ResourceExhausted',
        'MESSAGE_TOO_LARGE',
        `the answer of ${bytes.length} bytes is larger than this port sends; ask for less`,
        {
          metadata: { bytes_max: String(sendBytesMax) },
        },
      );
    }
    this.#sendHeaders();
    this.#unflushedBytes += bytes.length;
    this.#call.sendMessage(bytes, () => {
      this.#unflushedBytes -= bytes.length;
      if (this.#unflushedBytes <= this.#scope.limits.responseBytesBufferedMax / 2) this.#wakeFlush();
    });
  }

  #flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushed = resolve;
    });
  }

  #wakeFlush(): void {
    this.#flushed?.();
    this.#flushed = undefined;
  }

  #sendHeaders(): void {
    if (this.#headersSent || this.#context === undefined) return;
    this.#headersSent = true;
    this.#call.sendMetadata(addHeaders(new Metadata(), this.#context.responseHeader));
  }

  #errorContext(): { requestId: string; logger: Logger } {
    return { requestId: this.#requestId, logger: this.#scope.logger };
  }

  #fail(thrown: unknown): void {
    if (this.#finished) return;
    const { context } = { context: this.#context };
    const reason: unknown = context?.signal.aborted === true ? context.signal.reason : undefined;
    // A handler that ends because it was told to, by throwing what it was told, ends with that.
    const cause =
      this.#scope.streamStop.aborted && thrown === reason
        ? unavailable('server', 'this replica is stopping; call again')
        : thrown;
    this.#finish(toConnectError(cause, this.#errorContext()));
  }

  /** Ends the call once: status to the peer, abort to the handler, one line to the log. */
  #finish(error: ConnectError | undefined): void {
    if (this.#finished) return;
    const trailer = addHeaders(new Metadata(), this.#context?.responseTrailer ?? new Headers());
    if (error === undefined) this.#sendStatus({ code: status.OK, details: '', metadata: trailer });
    else this.#sendStatus(statusOf(error, trailer));
    this.#close(error);
  }

  /** The peer has cancelled or is gone; also called by grpc-js after every regular end. */
  #cancelled(): void {
    if (this.#finished) return;
    this.#close(new ConnectError('the caller cancelled the call or is gone', Code.Canceled));
  }

  #close(error: ConnectError | undefined): void {
    this.#finished = true;
    this.#scope.open.delete(this);
    this.#requests?.fail(error ?? new ConnectError('the call has ended', Code.Canceled));
    this.#context?.abort(error);
    this.#wakeFlush();
    if (error === undefined)
      this.#log(this.#streaming ? 'info' : 'debug', this.#streaming ? 'stream closed' : 'call', { code: 'ok' });
    else {
      const level = error.code === Code.Canceled ? 'info' : 'warn';
      this.#log(level, this.#streaming ? 'stream closed' : 'call', {
        code: Code[error.code],
        reason: reasonOf(error),
        detail: error.rawMessage,
      });
    }
  }

  #log(level: 'debug' | 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void {
    const { logger } = this.#scope;
    if (!logger.isLevelEnabled(level)) return;
    const ms = Math.round((performance.now() - this.#startMs) * 10) / 10;
    logger[level](
      { rpc: this.#endpoint.path, requestId: this.#requestId, peer: this.#call.getPeer(), ms, ...fields },
      message,
    );
  }
}

function statusOf(error: ConnectError, trailer: GrpcMetadata): PartialStatus {
  const message = error.rawMessage.toWellFormed();
  const details = detailsOf(error);
  if (details.length > 0)
    trailer.set('grpc-status-details-bin', Buffer.from(encodeStatus(error.code, message, details)));
  return { code: error.code as number, details: message, metadata: trailer };
}

/** What grpc-js ended a call with, as an error of ours. */
function libraryError(end: PartialStatus, limits: GrpcServerLimits): ConnectError | undefined {
  switch (end.code) {
    case status.OK:
      return undefined;
    case status.DEADLINE_EXCEEDED:
      return toConnectError(
        new StatusError('DeadlineExceeded', 'DEADLINE_EXCEEDED', 'the call ran out of its deadline'),
      );
    case status.RESOURCE_EXHAUSTED:
      return toConnectError(
        new StatusError(
          'ResourceExhausted',
          'MESSAGE_TOO_LARGE',
          `a message may have ${limits.receiveBytesMax} bytes: ${end.details}`,
          {
            metadata: { bytes_max: String(limits.receiveBytesMax) },
          },
        ),
      );
    case status.INTERNAL:
      // Compression that cannot be undone, a write to a dead stream: the peer's or the network's doing.
      return new ConnectError(end.details, Code.InvalidArgument);
    default:
      return new ConnectError(end.details, end.code as unknown as Code);
  }
}
