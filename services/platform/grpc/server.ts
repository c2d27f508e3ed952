import type { DescService } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Running } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { SlotMap } from '../slot-map.ts';
import type { Authenticate } from './authenticate.ts';
import { type Endpoint, endpointsOf, type QuickDecoders } from './endpoint.ts';
import { silenceLibraryLog } from './library-log.ts';
import { PortGuard } from './port-guard.ts';
import { type CallScope, ServerCall } from './server-call.ts';
import { type GrpcServerLimits, serverOptions } from './server-limits.ts';

export type { Authenticate };

/** PEM files' contents for a port with TLS. `clientCa` asks peers for a certificate of that authority. */
export interface GrpcServerTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly clientCa?: Buffer;
}

export interface GrpcServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly logger: Logger;
  /** See `grpcServerLimits` for defaults. */
  readonly limits: GrpcServerLimits;
  readonly authenticate?: Authenticate;
  readonly tls?: GrpcServerTls;
}

/** Serves Connect service implementations over grpc-js. */
export class GrpcServer implements Running {
  readonly #options: GrpcServerOptions;
  readonly #server: Server;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #scope: CallScope;
  readonly #guard: PortGuard;
  #stopping: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    silenceLibraryLog();
    this.#options = options;
    this.#scope = {
      logger: options.logger,
      limits: options.limits,
      authenticate: options.authenticate,
      open: new SlotMap(),
    };
    this.#guard = new PortGuard(options.limits, options.logger, this.#endpoints);
    this.#server = new Server({
      ...serverOptions(options.limits),
      interceptors: [({ path }, call) => new ServerCall(call, this.#endpoint(path), this.#scope, this.#guard.passing)],
    });
  }

  /** Calls that are open now. */
  get openCalls(): number {
    return this.#scope.open.size;
  }

  /** Adds a service. Methods that the implementation leaves out answer UNIMPLEMENTED. */
  register<S extends DescService>(
    service: S,
    implementation: Partial<ServiceImpl<S>>,
    quickDecoders: QuickDecoders<S> = {},
  ): void {
    for (const endpoint of endpointsOf(service, implementation, quickDecoders)) {
      this.#endpoints.set(endpoint.path, endpoint);
      // The interceptor above answers every call itself: neither the handler nor the codec given here is ever reached
      // with a value, they hand bytes through.
      this.#server.register<Buffer, Buffer>(endpoint.path, notReached, passBytes, passBytes, 'bidi');
    }
  }

  /** Binds the port and returns it. @throws Error with a sentence that names the address when it cannot be had. */
  async start(): Promise<number> {
    const { host, port, tls } = this.#options;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, serverCredentials(tls), (error, boundPort) => {
        if (error === null) resolve(boundPort);
        else reject(new Error(`cannot listen on ${address}: ${bindFailure(error)}`, { cause: error }));
      });
    });
    this.#guard.attach(this.#server);
    return bound;
  }

  /** Takes no new calls, lets open ones end within `drainMs`, then cuts what is left. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { limits, logger } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const drained = new Promise<boolean>((resolve) => {
      this.#server.tryShutdown((error) => {
        if (error !== undefined) logger.debug({ err: error }, 'grpc server shutdown');
        resolve(true);
      });
      timer = setTimeout(() => resolve(false), limits.drainMs);
    });
    this.#guard.refuseCalls();
    for (const call of this.#scope.open.values()) call.stopSoon();
    if (!(await drained)) {
      logger.info({ openCalls: this.openCalls }, 'cutting calls that did not end in time');
      for (const call of this.#scope.open.values()) call.cut();
    }
    clearTimeout(timer);
    this.#server.forceShutdown();
    this.#guard.destroySessions();
  }

  #endpoint(path: string): Endpoint {
    const endpoint = this.#endpoints.get(path);
    if (endpoint === undefined) throw new Error(`no method is registered at ${path}`);
    return endpoint;
  }
}

/** A server that is not bound yet: register services, then `start`. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  return new GrpcServer(options);
}

function serverCredentials(tls: GrpcServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(
    tls.clientCa ?? null,
    [{ cert_chain: tls.certificate, private_key: tls.key }],
    tls.clientCa !== undefined,
  );
}

function bindFailure(error: Error): string {
  return error.message.includes('EADDRINUSE') ? 'the port is taken by another process' : error.message;
}

function passBytes(bytes: Buffer): Buffer {
  return bytes;
}

function notReached(): never {
  throw new Error('grpc-js called a handler that the call driver should have replaced');
}
