import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { framed, LightMessages } from './light-messages.ts';

/** Room for the answer to a full batch before it is read. */
const WINDOW_BYTES = 4 * 1_048_576;

/** Unary gRPC calls as light as they can be made: on two cores, what the load costs is taken from what is measured. */
export class LightConnection implements Disposable {
  readonly #session: ClientHttp2Session;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#headers = { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc', ...headers };
    this.#session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES, enablePush: false } });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    // Its calls say what became of them.
    this.#session.on('error', () => undefined);
  }

  /** One message there and one back. @throws Error with the call's status. */
  call(path: string, body: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const messages = new LightMessages((message) => (answer = message));
      const stream = this.#session.request({ ...this.#headers, ':path': path });
      stream.on('data', (data: Buffer) => messages.take(data));
      whenEnded(stream, (status) => {
        if (answer !== undefined && status === '0') resolve(answer);
        else reject(new Error(`${path} ended with status ${status}`));
      });
      stream.end(framed(body));
    });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** Tells the status of the call, with its message if there is one, or why there is none. */
function whenEnded(stream: ClientHttp2Stream, tell: (status: string) => void): void {
  let status = 'none';
  const note = ({ 'grpc-status': code, 'grpc-message': message }: IncomingHttpHeaders): void => {
    if (typeof code === 'string') status = typeof message === 'string' && message !== '' ? `${code} ${message}` : code;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  stream.on('error', (thrown: Error) => (status = thrown.message));
  stream.once('close', () => {
    tell(status);
    // Node's stream outlives its call, and this hangs on its listeners: see PortGuard.
    setImmediate(() => stream.removeAllListeners());
  });
}
