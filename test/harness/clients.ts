import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport as createEdgeTransport, Http2SessionManager } from '@connectrpc/connect-node';
import type { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Secret } from '../../services/platform/config.ts';
import { type Caller, internalHeaders } from '../../services/platform/grpc/caller.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';

export type CommandClient = Client<typeof CommandService>;

/** Keeps the connections of a test's clients, to close them all. */
export class Clients implements Disposable {
  readonly #closes: (() => void)[] = [];

  /** A client of a public service through the gateway, as an operator's program is one. */
  edge<S extends DescService>(service: S, gatewayUrl: string, token: string | undefined): Client<S> {
    const sessionManager = new Http2SessionManager(gatewayUrl);
    this.#closes.push(() => sessionManager.abort());
    const withToken: Interceptor = (next) => (request) => {
      if (token !== undefined) request.header.set('authorization', `Bearer ${token}`);
      return next(request);
    };
    return createClient(
      service,
      createEdgeTransport({ baseUrl: gatewayUrl, sessionManager, interceptors: [withToken] }),
    );
  }

  /** A client of one replica's internal port, as the gateway is one; a test chooses the replica. */
  internal<S extends DescService>(
    service: S,
    url: string,
    internalToken: string,
    caller: Caller | undefined,
  ): Client<S> {
    const transport = createGrpcTransport({
      urls: [url],
      headers: () => internalHeaders(new Secret(internalToken), caller, undefined),
      ownConnection: true,
    });
    this.#closes.push(() => transport.close());
    return createClient(service, transport);
  }

  [Symbol.dispose](): void {
    for (const close of this.#closes.splice(0)) close();
  }
}
