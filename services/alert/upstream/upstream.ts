import type { DescService } from '@bufbuild/protobuf';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { Health } from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { CommandService } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import { internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport, type GrpcTransport } from '../../platform/grpc/transport.ts';
import type { Running } from '../../platform/lifecycle.ts';
import { WATCHED_SERVICES, type WatchedService } from '../domain/presence-rules.ts';

const CALL_MS_MAX = 5_000;

/** Addresses of every replica; none: that service is not looked at. */
export interface UpstreamUrls extends Readonly<Record<WatchedService, readonly string[]>> {
  readonly command: readonly string[];
  /** '' for none. */
  readonly gateway: string;
}

/** The services that are looked at. */
export class Upstream implements Running {
  readonly commands: Client<typeof CommandService>;
  readonly executors: Client<typeof ExecutorService>;
  readonly markets: Client<typeof MarketService> | undefined;
  /** Of each command replica. */
  readonly replicas: readonly Client<typeof Health>[];
  /** Of each replica of the services behind, by service. */
  readonly services: ReadonlyMap<WatchedService, readonly Client<typeof Health>[]>;
  readonly gatewayUrl: string;
  readonly #token: Secret;
  readonly #transports: GrpcTransport[] = [];

  constructor(urls: UpstreamUrls, token: Secret) {
    this.#token = token;
    this.commands = this.#client(CommandService, urls.command);
    this.executors = this.#client(ExecutorService, urls.command);
    this.markets = urls.market.length === 0 ? undefined : this.#client(MarketService, urls.market);
    this.replicas = urls.command.map((url) => this.#client(Health, [url]));
    this.services = new Map(
      WATCHED_SERVICES.filter((service) => urls[service].length > 0).map((service) => [
        service,
        urls[service].map((url) => this.#client(Health, [url])),
      ]),
    );
    this.gatewayUrl = urls.gateway;
  }

  /** Options of a call that is made for an account by this service itself. */
  as(accountId: string): CallOptions {
    const caller = { accountId, role: 'viewer', subject: 'alert' } as const;
    return { headers: internalHeaders(this.#token, caller, undefined) };
  }

  stop(): Promise<void> {
    for (const transport of this.#transports.splice(0)) transport.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #client<S extends DescService>(service: S, urls: readonly string[]): Client<S> {
    const transport = createGrpcTransport({ urls, timeoutMs: CALL_MS_MAX });
    this.#transports.push(transport);
    return createClient(service, transport);
  }
}
