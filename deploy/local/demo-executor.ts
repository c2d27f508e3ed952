import { fromJsonString, toJsonString } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import {
  type Credentials,
  CredentialsSchema,
  type Executor,
  ExecutorService,
  ExecutorState,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ensureDemoTrading } from './demo-trading.ts';
import { writePrivate } from './data-directory.ts';
import { readIfThere } from './process-record.ts';

export const DEMO_EXECUTOR = 'demo';
/** Starting a session waits for the evaluator and the executor. */
const CALL_MS_MAX = 30_000;
const CONNECTED_MS_MAX = 10_000;
const CONNECTED_POLL_MS = 50;

/** The executor `demo` as the platform knows it. */
export class DemoExecutor implements Disposable {
  readonly #executors: Client<typeof ExecutorService>;
  readonly #session: Http2SessionManager;
  readonly #transport: Transport;

  constructor(gatewayUrl: string, token: string) {
    const withToken: Interceptor = (next) => (request) => {
      request.header.set('authorization', `Bearer ${token}`);
      return next(request);
    };
    this.#session = new Http2SessionManager(gatewayUrl);
    this.#transport = createGrpcTransport({
      baseUrl: gatewayUrl,
      sessionManager: this.#session,
      interceptors: [withToken],
      defaultTimeoutMs: CALL_MS_MAX,
    });
    this.#executors = createClient(ExecutorService, this.#transport);
  }

  /**
   * Makes sure that the executor exists and that `file` (mode 0600) holds a credential for it with the current addresses:
   * created at the first start, rotated when the file was lost.
   * @throws Error when the gateway refuses, with what to do.
   */
  async ensureCredentials(file: string, linkUrls: readonly string[], gatewayUrl: string): Promise<void> {
    const credentials = await this.#usableCredentials(await readIfThere(file));
    const current: Credentials = { ...credentials, linkUrls: [...linkUrls], gatewayUrl };
    await writePrivate(file, `${toJsonString(CredentialsSchema, current, { prettySpaces: 2 })}\n`);
  }

  /** Gives it something to trade. @throws Error when the platform refuses. */
  trade(): Promise<void> {
    return ensureDemoTrading(this.#transport, DEMO_EXECUTOR);
  }

  /** Whether it is connected, waiting for it a little. */
  async isConnected(): Promise<boolean> {
    const endMs = performance.now() + CONNECTED_MS_MAX;
    while (performance.now() < endMs) {
      if ((await this.#existing())?.state === ExecutorState.ONLINE) return true;
      await new Promise((resolve) => setTimeout(resolve, CONNECTED_POLL_MS));
    }
    return false;
  }

  [Symbol.dispose](): void {
    this.#session.abort();
  }

  async #usableCredentials(kept: string | undefined): Promise<Credentials> {
    const existing = await this.#existing();
    if (existing === undefined) {
      const created = await this.#executors.createExecutor({ name: DEMO_EXECUTOR, labels: { kind: 'paper' } });
      return required(created.credentials);
    }
    const file =
      kept === undefined ? undefined : fromJsonString(CredentialsSchema, kept, { ignoreUnknownFields: true });
    if (file !== undefined && existing.credentials.some(({ keyId }) => keyId === file.keyId)) return file;
    const overlap = { seconds: 0n, nanos: 0 };
    return required((await this.#executors.rotateCredentials({ executor: DEMO_EXECUTOR, overlap })).credentials);
  }

  async #existing(): Promise<Executor | undefined> {
    try {
      return (await this.#executors.getExecutor({ executor: DEMO_EXECUTOR })).executor;
    } catch (thrown) {
      const { code } = ConnectError.from(thrown);
      if (code === Code.NotFound) return undefined;
      if (code !== Code.Unauthenticated) throw thrown;
      throw new Error(
        'the token in the data folder is not valid any more; run strategos token recover, or start with --no-demo',
        { cause: thrown },
      );
    }
  }
}

function required(credentials: Credentials | undefined): Credentials {
  if (credentials === undefined) throw new Error('the platform answered without credentials for the executor demo');
  return credentials;
}
