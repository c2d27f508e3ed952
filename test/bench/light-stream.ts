import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';

/** Room for what comes before it is read: a single executor is sent a megabyte in a moment. */
const WINDOW_BYTES = 4 * 1_048_576;
const PREFIX_BYTES = 5;

/** A gRPC connection as light as it can be made: on two cores, what the load costs is taken from what is measured. */
export class LightConnection implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #authority: Record<string, string>;

  /** `onLost` is told once when the connection ends, wanted or not. */
  constructor(url: string, headers: Readonly<Record<string, string>>, onLost: () => void) {
    this.#authority = { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc', ...headers };
    this.#session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES, enablePush: false } });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    this.#session.on('error', () => undefined);
    this.#session.once('close', onLost);
  }

  /** Opens a stream of messages both ways. `onEnd` is told its status, or why there is none. */
  open(path: string, onMessage: (body: Buffer) => void, onEnd: (ended: string) => void): LightStream {
    return new LightStream(this.#session.request({ ...this.#authority, ':path': path }), onMessage, onEnd);
  }

  /** One message there and one back. @throws Error with the call's status. */
  call(path: string, body: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const stream = this.open(
        path,
        (message) => (answer = message),
        (ended) => {
          if (answer !== undefined && ended === '0') resolve(answer);
          else reject(new Error(`${path} ended with status ${ended}`));
        },
      );
      stream.end(body);
    });
  }

  close(): void {
    this.#session.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One gRPC call. */
export class LightStream {
  readonly #stream: ClientHttp2Stream;
  #rest: Buffer | undefined;

  constructor(stream: ClientHttp2Stream, onMessage: (body: Buffer) => void, onEnd: (ended: string) => void) {
    this.#stream = stream;
    let ended = 'none';
    const note = (headers: IncomingHttpHeaders): void => {
      const [status, message] = [headers['grpc-status'], headers['grpc-message']];
      if (typeof status === 'string')
        ended = typeof message === 'string' && message !== '' ? `${status} ${message}` : status;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', (thrown: Error) => (ended = thrown.message));
    stream.on('data', (data: Buffer) => this.#take(data, onMessage));
    stream.once('close', () => {
      onEnd(ended);
      // Node's stream outlives its call, and this hangs on its listeners: see PortGuard.
      setImmediate(() => stream.removeAllListeners());
    });
  }

  send(body: Uint8Array): void {
    this.#stream.write(framed(body));
  }

  end(body: Uint8Array): void {
    this.#stream.end(framed(body));
  }

  #take(data: Buffer, onMessage: (body: Buffer) => void): void {
    const bytes = this.#rest === undefined ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      onMessage(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  frame[0] = 0;
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, PREFIX_BYTES);
  return frame;
}
