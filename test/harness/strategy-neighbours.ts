import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type CacheStateSchema,
  EvaluatorService,
} from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import type { InstanceSchema } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Secret } from '../../services/platform/config.ts';
import { callerOf, internalAuthenticator } from '../../services/platform/grpc/caller.ts';
import { createGrpcServer, type GrpcServer } from '../../services/platform/grpc/server.ts';
import { grpcServerLimits } from '../../services/platform/grpc/server-limits.ts';
import { createLogger } from '../../services/platform/logger.ts';

/** What the services around the strategy service answer; a test writes it. */
export interface NeighbourAnswers {
  /** Indicators that the market knows, by their normalised names; others are unknown to it. */
  readonly indicators: Map<string, string>;
  /** Sessions that use a strategy, by its id. */
  readonly uses: Map<string, readonly string[]>;
  caches: readonly MessageInitShape<typeof CacheStateSchema>[];
  instances: readonly MessageInitShape<typeof InstanceSchema>[];
  /** How often the market was asked, and the accounts on whose behalf. */
  readonly asked: string[];
}

/** Market, session and evaluator in one server on loopback, as the strategy service sees them. */
export class StrategyNeighbours implements AsyncDisposable {
  readonly answers: NeighbourAnswers;
  readonly #server: GrpcServer;
  readonly url: string;

  private constructor(answers: NeighbourAnswers, server: GrpcServer, url: string) {
    this.answers = answers;
    this.#server = server;
    this.url = url;
  }

  static async start(internalToken: string, port = 0): Promise<StrategyNeighbours> {
    const answers: NeighbourAnswers = {
      indicators: new Map(
        ['price', 'rsi_14', 'ema_20', 'pump_magnitude_pct', 'volume_surge_ratio_20'].map((id) => [id, id]),
      ),
      uses: new Map(),
      caches: [],
      instances: [],
      asked: [],
    };
    const server = createGrpcServer({
      host: '127.0.0.1',
      port,
      logger: createLogger('neighbours', 'warn'),
      limits: grpcServerLimits({ drainMs: 100 }),
      authenticate: internalAuthenticator(new Secret(internalToken)),
    });
    server.register(MarketService, {
      listIndicators: ({ ids }, context) => {
        answers.asked.push(callerOf(context).accountId);
        return {
          checks: ids.map((id) => {
            const normalisedId = answers.indicators.get(id) ?? '';
            return { id, normalisedId, fault: normalisedId === '' ? `there is no indicator "${id}"` : '' };
          }),
        };
      },
    });
    server.register(SessionService, {
      listStrategyUses: ({ strategyId }) => ({
        uses: (answers.uses.get(strategyId) ?? []).map((sessionId) => ({ sessionId, symbols: ['BTC_USDT'] })),
      }),
    });
    server.register(EvaluatorService, {
      listCaches: () => ({ caches: [...answers.caches] }),
      listInstances: ({ strategyId }) => ({
        instances: answers.instances.filter((each) => strategyId === '' || each.strategyId === strategyId),
      }),
    });
    const bound = await server.start();
    return new StrategyNeighbours(answers, server, `http://127.0.0.1:${bound}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
