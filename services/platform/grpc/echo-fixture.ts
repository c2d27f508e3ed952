import { create, toBinary } from '@bufbuild/protobuf';
import { fileDesc, type GenService, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt';
import { type Client, ConnectError, createClient, type ServiceImpl } from '@connectrpc/connect';
import type { Stack } from '../lifecycle.ts';
import { createLogger, type Logger } from '../logger.ts';
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './server.ts';
import { type GrpcServerLimits, grpcServerLimits } from './server-limits.ts';
import { createGrpcTransport } from './transport.ts';

// For tests: a service with all four kinds of methods over google.protobuf.StringValue.

const STRING_VALUE = '.google.protobuf.StringValue';

const file = fileDesc(
  Buffer.from(
    toBinary(
      FileDescriptorProtoSchema,
      create(FileDescriptorProtoSchema, {
        name: 'echo.proto',
        package: 'test.v1',
        syntax: 'proto3',
        dependency: ['google/protobuf/wrappers.proto'],
        service: [
          {
            name: 'EchoService',
            method: [
              { name: 'Say', inputType: STRING_VALUE, outputType: STRING_VALUE },
              { name: 'Repeat', inputType: STRING_VALUE, outputType: STRING_VALUE, serverStreaming: true },
              { name: 'Join', inputType: STRING_VALUE, outputType: STRING_VALUE, clientStreaming: true },
              {
                name: 'Talk',
                inputType: STRING_VALUE,
                outputType: STRING_VALUE,
                clientStreaming: true,
                serverStreaming: true,
              },
            ],
          },
        ],
      }),
    ),
  ).toString('base64'),
  [file_google_protobuf_wrappers],
);

interface Strings<Kind extends 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming'> {
  readonly methodKind: Kind;
  readonly input: typeof StringValueSchema;
  readonly output: typeof StringValueSchema;
}

export const EchoService: GenService<{
  say: Strings<'unary'>;
  repeat: Strings<'server_streaming'>;
  join: Strings<'client_streaming'>;
  talk: Strings<'bidi_streaming'>;
}> = serviceDesc(file, 0);

export type Echo = ServiceImpl<typeof EchoService>;

/** Answers what it is told; `Repeat` gives the value three times, `Join` all values in one. */
export const echo: Echo = {
  say: (request) => request,
  async *repeat(request) {
    for (let index = 0; index < 3; index += 1) yield { value: `${request.value}${index}` };
  },
  async join(requests) {
    let joined = '';
    for await (const request of requests) joined += request.value;
    return { value: joined };
  },
  async *talk(requests) {
    for await (const request of requests) yield request;
  },
};

/** Everything a logger wrote, parsed. */
export type LogLines = Readonly<Record<string, unknown>>[];

/** A logger that keeps its lines. */
export function keepingLogger(): { readonly logger: Logger; readonly lines: LogLines } {
  const lines: LogLines = [];
  const logger = createLogger('test', 'debug', { write: (line) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

/** A started server of an echo implementation on a free port. */
export async function startEcho(
  implementation: Partial<Echo> = {},
  limits: Partial<GrpcServerLimits> = {},
  options: Partial<GrpcServerOptions> = {},
): Promise<{ server: GrpcServer; port: number; url: string; lines: LogLines }> {
  const { logger, lines } = keepingLogger();
  const server = createGrpcServer({ host: '127.0.0.1', port: 0, logger, limits: grpcServerLimits(limits), ...options });
  server.register(EchoService, { ...echo, ...implementation });
  const port = await server.start();
  return { server, port, url: `http://127.0.0.1:${port}`, lines };
}

/** A started server and a client of it; both end with `stack`. */
export async function echoPair(
  stack: Stack,
  implementation: Partial<Echo> = {},
  limits: Partial<GrpcServerLimits> = {},
  options: Partial<GrpcServerOptions> = {},
): Promise<Awaited<ReturnType<typeof startEcho>> & { readonly client: Client<typeof EchoService> }> {
  const started = await startEcho(implementation, limits, options);
  stack.add(started.server);
  const transport = stack.use(createGrpcTransport({ urls: [started.url] }), (t) => t.close());
  return { ...started, client: createClient(EchoService, transport) };
}

/** A stream of requests. */
export async function* values(...items: readonly string[]) {
  for (const value of items) yield { value };
}

/** The values of a stream of answers. */
export async function collect(stream: AsyncIterable<{ readonly value: string }>): Promise<string[]> {
  const collected: string[] = [];
  for await (const { value } of stream) collected.push(value);
  return collected;
}

/** The error with which a call fails. @throws Error when it does not fail, or with something else. */
export async function failureOf(work: Promise<unknown>): Promise<ConnectError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw new Error(`expected a ConnectError, got ${String(thrown)}`);
  return thrown;
}
