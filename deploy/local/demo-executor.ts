import { fromJsonString, toJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError, type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  type Credentials,
  CredentialsSchema,
  ExecutorService,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { writePrivate } from './data-directory.ts';
import { readIfThere } from './process-record.ts';

export const DEMO_EXECUTOR = 'demo';
const CALL_MS_MAX = 15_000;

/**
 * Makes sure that the executor `demo` exists and that `file` (mode 0600) holds a credential for it with the current
 * addresses: created at the first start, rotated when the file was lost.
 * @throws Error when the gateway refuses, with what to do.
 */
export async function ensureDemoCredentials(options: {
  readonly gatewayUrl: string;
  readonly token: string;
  readonly linkUrls: readonly string[];
  readonly file: string;
}): Promise<void> {
  const withToken: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${options.token}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: options.gatewayUrl,
    interceptors: [withToken],
    defaultTimeoutMs: CALL_MS_MAX,
  });
  const executors = createClient(ExecutorService, transport);
  const credentials = await usableCredentials(executors, await readIfThere(options.file));
  const current: Credentials = {
    ...credentials,
    linkUrls: [...options.linkUrls],
    gatewayUrl: options.gatewayUrl,
  };
  await writePrivate(options.file, `${toJsonString(CredentialsSchema, current, { prettySpaces: 2 })}\n`);
}

async function usableCredentials(
  executors: Client<typeof ExecutorService>,
  kept: string | undefined,
): Promise<Credentials> {
  const existing = await existingDemo(executors);
  if (existing === undefined) {
    return required((await executors.createExecutor({ name: DEMO_EXECUTOR, labels: { kind: 'paper' } })).credentials);
  }
  const file = kept === undefined ? undefined : fromJsonString(CredentialsSchema, kept, { ignoreUnknownFields: true });
  if (file !== undefined && existing.credentials.some(({ keyId }) => keyId === file.keyId)) return file;
  const rotated = await executors.rotateCredentials({ executor: DEMO_EXECUTOR, overlap: { seconds: 0n, nanos: 0 } });
  return required(rotated.credentials);
}

async function existingDemo(executors: Client<typeof ExecutorService>) {
  try {
    return (await executors.getExecutor({ executor: DEMO_EXECUTOR })).executor;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.NotFound) return undefined;
    if (error.code === Code.Unauthenticated) {
      throw new Error(
        'the token in the data folder is not valid any more; run strategos token recover, or start with --no-demo',
        {
          cause: thrown,
        },
      );
    }
    throw thrown;
  }
}

function required(credentials: Credentials | undefined): Credentials {
  if (credentials === undefined) throw new Error('the platform answered without credentials for the executor demo');
  return credentials;
}
