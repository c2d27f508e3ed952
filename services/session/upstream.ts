import type { DescService } from '@bufbuild/protobuf';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { BacktestService } from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Secret } from '../platform/config.ts';
import { internalHeaders } from '../platform/grpc/caller.ts';
import { createGrpcTransport, type GrpcTransport } from '../platform/grpc/transport.ts';
import type { Running } from '../platform/lifecycle.ts';

/** Calls that take longer are made again by whoever needs them. */
const CALL_MS_MAX = 10_000;

export interface UpstreamUrls {
  readonly command: readonly string[];
  readonly strategy: readonly string[];
  readonly evaluator: readonly string[];
  /** Empty: back-tests are refused. */
  readonly backtest: readonly string[];
}

/** The services that sessions need, called for an account. */
export class Upstream implements Running {
  readonly commands: Client<typeof CommandService>;
  readonly executors: Client<typeof ExecutorService>;
  readonly strategies: Client<typeof StrategyService>;
  readonly evaluators: Client<typeof EvaluatorService>;
  readonly backtests: Client<typeof BacktestService> | undefined;
  readonly #token: Secret;
  readonly #transports: GrpcTransport[] = [];

  constructor(urls: UpstreamUrls, token: Secret) {
    this.#token = token;
    this.commands = this.#client(CommandService, urls.command);
    this.executors = this.#client(ExecutorService, urls.command);
    this.strategies = this.#client(StrategyService, urls.strategy);
    this.evaluators = this.#client(EvaluatorService, urls.evaluator);
    this.backtests = urls.backtest.length === 0 ? undefined : this.#client(BacktestService, urls.backtest);
  }

  /** Options of a call that is made for an account by this service itself. */
  as(accountId: string, options: Omit<CallOptions, 'headers'> = {}): CallOptions {
    const caller = { accountId, role: 'admin', subject: 'session' } as const;
    return { ...options, headers: internalHeaders(this.#token, caller, undefined) };
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
