import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { EvaluatorService } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import { internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport, type GrpcTransport } from '../../platform/grpc/transport.ts';

/** How long another service may take for one answer. */
const CALL_MS_MAX = 3_000;
/** Other replicas that were asked lately. */
const PEERS_MAX = 64;

export interface NeighbourUrls {
  readonly strategyUrls: readonly string[];
  readonly marketUrls: readonly string[];
  readonly sessionUrls: readonly string[];
}

function open(urls: readonly string[]): GrpcTransport {
  return createGrpcTransport({ urls, timeoutMs: CALL_MS_MAX });
}

/** The services that an evaluator asks, and the other replicas of its own. */
export class Neighbours {
  readonly strategy: Client<typeof StrategyService>;
  readonly market: Client<typeof MarketService>;
  readonly session: Client<typeof SessionService>;
  readonly #token: Secret;
  readonly #transports: GrpcTransport[];
  readonly #peers = new Map<
    string,
    { readonly transport: GrpcTransport; readonly client: Client<typeof EvaluatorService> }
  >();

  constructor(urls: NeighbourUrls, token: Secret) {
    this.#token = token;
    const [strategy, market, session] = [open(urls.strategyUrls), open(urls.marketUrls), open(urls.sessionUrls)];
    this.#transports = [strategy, market, session];
    this.strategy = createClient(StrategyService, strategy);
    this.market = createClient(MarketService, market);
    this.session = createClient(SessionService, session);
  }

  /** Options of a call on behalf of an account. */
  as(accountId: string, signal?: AbortSignal): CallOptions {
    const caller = { accountId, role: 'admin', subject: 'evaluator' } as const;
    const headers = internalHeaders(this.#token, caller, undefined);
    return signal === undefined ? { headers } : { headers, signal };
  }

  /** Another replica, by its address. */
  peer(address: string): Client<typeof EvaluatorService> {
    const known = this.#peers.get(address);
    if (known !== undefined) return known.client;
    const [oldest] = this.#peers.keys();
    if (this.#peers.size >= PEERS_MAX && oldest !== undefined) {
      this.#peers.get(oldest)?.transport.close();
      this.#peers.delete(oldest);
    }
    const transport = open([address]);
    const client = createClient(EvaluatorService, transport);
    this.#peers.set(address, { transport, client });
    return client;
  }

  stop(): void {
    for (const transport of this.#transports) transport.close();
    for (const { transport } of this.#peers.values()) transport.close();
  }
}
