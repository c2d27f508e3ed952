import type { DescService } from '@bufbuild/protobuf';
import { type CallOptions, type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import {
  CommandService,
  type IssueCommandsResponse_Outcome,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { BacktestService } from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Clock } from '../platform/clock.ts';
import type { Secret } from '../platform/config.ts';
import { internalHeaders } from '../platform/grpc/caller.ts';
import { createGrpcTransport, type GrpcTransport } from '../platform/grpc/transport.ts';
import type { Running } from '../platform/lifecycle.ts';
import { type IssueRequests, IssueStreams } from './issue-streams.ts';

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
  readonly #issuing: IssueStreams;

  constructor(urls: UpstreamUrls, token: Secret, clock: Clock) {
    this.#token = token;
    this.commands = this.#client(CommandService, urls.command);
    this.executors = this.#client(ExecutorService, urls.command);
    this.strategies = this.#client(StrategyService, urls.strategy);
    this.evaluators = this.#client(EvaluatorService, urls.evaluator);
    this.backtests = urls.backtest.length === 0 ? undefined : this.#client(BacktestService, urls.backtest);
    this.#issuing = new IssueStreams(
      (accountId, requests, signal) => this.commands.issueCommandStream(requests, this.as(accountId, { signal })),
      clock,
    );
  }

  /**
   * Issues commands for an account: one outcome a request, in order. Over a stream, or by a call where the command service is of
   * a release that has none.
   * @throws ConnectError when no answer came; commands may have been issued then.
   */
  async issue(accountId: string, requests: IssueRequests): Promise<readonly IssueCommandsResponse_Outcome[]> {
    try {
      return await this.#issuing.issue(accountId, requests);
    } catch (thrown) {
      if (ConnectError.from(thrown).code !== Code.Unimplemented) throw thrown;
      return (await this.commands.issueCommands({ requests: [...requests] }, this.as(accountId))).outcomes;
    }
  }

  /** Options of a call that is made for an account by this service itself. */
  as(accountId: string, options: Omit<CallOptions, 'headers'> = {}): CallOptions {
    const caller = { accountId, role: 'admin', subject: 'session' } as const;
    return { ...options, headers: internalHeaders(this.#token, caller, undefined) };
  }

  stop(): Promise<void> {
    this.#issuing.stop();
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
