import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type Instance,
  InstanceSchema,
  InstanceState,
  InstanceStatus,
  type Outcome,
} from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  ActivateInstancesResponseSchema,
  DeactivateInstancesResponseSchema,
  EvaluatorService,
  PauseInstancesResponseSchema,
} from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import {
  BacktestService,
  type RunBacktestRequest,
  type RunBacktestResponse,
} from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { type StrategyDefinition, StrategySchema } from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import {
  GetStrategyResponseSchema,
  StrategyService,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Secret } from '../../services/platform/config.ts';
import { notFound } from '../../services/platform/errors.ts';
import { internalAuthenticator } from '../../services/platform/grpc/caller.ts';
import { createGrpcServer, type GrpcServer } from '../../services/platform/grpc/server.ts';
import { grpcServerLimits } from '../../services/platform/grpc/server-limits.ts';
import { createLogger } from '../../services/platform/logger.ts';

interface KnownStrategy {
  readonly id: string;
  readonly revision: bigint;
  readonly definition: StrategyDefinition;
  readonly deleted: boolean;
}

/** Evaluator and strategy service in one server on loopback, as the session service sees them; a test says how they behave. */
export class SessionNeighbours implements AsyncDisposable {
  readonly strategies = new Map<string, KnownStrategy>();
  readonly instances = new Map<string, Instance>();
  /** Outcomes in the order in which they were first told. */
  readonly outcomes = new Map<string, Outcome>();
  /** How often outcomes were told in all. */
  told = 0;
  /** Strategies that evaluators cannot apply, with why; and those that they never finish applying. */
  readonly faults = new Map<string, string>();
  readonly stuck = new Set<string>();
  /** Instances with a position: they close when they are let go. */
  readonly holding = new Set<string>();
  /** What a back-test answers. */
  backtest: (request: RunBacktestRequest, run: number) => AsyncIterable<RunBacktestResponse> = () => {
    throw notFound('dataset', 'none');
  };
  backtestRuns = 0;
  readonly #server: GrpcServer;
  url = '';

  private constructor(server: GrpcServer) {
    this.#server = server;
  }

  static async start(internalToken: string): Promise<SessionNeighbours> {
    const server = createGrpcServer({
      host: '127.0.0.1',
      port: 0,
      logger: createLogger('neighbours', 'error'),
      limits: grpcServerLimits({ drainMs: 100 }),
      authenticate: internalAuthenticator(new Secret(internalToken)),
    });
    const made = new SessionNeighbours(server);
    made.#register();
    made.url = `http://127.0.0.1:${await server.start()}`;
    return made;
  }

  /** Makes a strategy known; returns its id. */
  strategy(definition: StrategyDefinition, revision = 1, deleted = false): string {
    const id = `id-of-${definition.strategyName}`;
    this.strategies.set(definition.strategyName, { id, revision: BigInt(revision), definition, deleted });
    return id;
  }

  /** The instance of a strategy in a session, as the evaluators know it. */
  instanceOf(sessionId: string, strategyId: string): Instance | undefined {
    return [...this.instances.values()].find(
      (instance) => instance.sessionId === sessionId && instance.strategyId === strategyId,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }

  #register(): void {
    this.#server.register(BacktestService, {
      runBacktest: (request) => this.backtest(request, ++this.backtestRuns),
    });
    this.#server.register(StrategyService, {
      getStrategy: ({ strategy: named }) => {
        const known = [...this.strategies.values()].find(
          ({ id, definition }) => id === named || definition.strategyName === named,
        );
        if (known === undefined) throw notFound('strategy', named);
        const { id, revision, definition, deleted } = known;
        const strategy = create(StrategySchema, {
          id,
          revision,
          definition,
          ...(deleted ? { deleteTime: timestampFromMs(1) } : {}),
        });
        return create(GetStrategyResponseSchema, { strategy });
      },
    });
    this.#server.register(EvaluatorService, {
      activateInstances: ({ sessionId, instances, paused }) => {
        const answers = instances.map(({ instanceId: id, strategyId, symbol, revision }) => {
          const fault = this.faults.get(strategyId) ?? '';
          const status = this.stuck.has(strategyId)
            ? InstanceStatus.PENDING
            : fault === ''
              ? InstanceStatus.ACTIVE
              : InstanceStatus.FAILED;
          const running = status === InstanceStatus.ACTIVE ? revision : 0n;
          return this.#keep({ id, sessionId, strategyId, symbol, status, fault, paused, running, wanted: revision });
        });
        return create(ActivateInstancesResponseSchema, { instances: answers });
      },
      deactivateInstances: ({ instanceIds, whenFlat }) => {
        const instances = instanceIds.map((id) => {
          const instance = this.#find(id);
          const waits = whenFlat && this.holding.has(id);
          instance.status = waits ? InstanceStatus.CLOSING : InstanceStatus.INACTIVE;
          return instance;
        });
        return create(DeactivateInstancesResponseSchema, { instances });
      },
      pauseInstances: ({ instanceIds, paused }) => {
        const instances = instanceIds.map((id) => Object.assign(this.#find(id), { paused }));
        return create(PauseInstancesResponseSchema, { instances });
      },
      reportOutcomes: ({ outcomes }) => {
        this.told += outcomes.length;
        for (const outcome of outcomes) if (!this.outcomes.has(outcome.id)) this.outcomes.set(outcome.id, outcome);
        return {};
      },
    });
  }

  #find(id: string): Instance {
    const instance = this.instances.get(id);
    if (instance === undefined) throw notFound('instance', id);
    return instance;
  }

  #keep(about: {
    readonly id: string;
    readonly sessionId: string;
    readonly strategyId: string;
    readonly symbol: string;
    readonly status: InstanceStatus;
    readonly fault: string;
    readonly paused: boolean;
    readonly running: bigint;
    readonly wanted: bigint;
  }): Instance {
    const { running: runningRevision, wanted: wantedRevision, ...rest } = about;
    const state = InstanceState.MONITORING;
    const instance = create(InstanceSchema, { ...rest, state, runningRevision, wantedRevision });
    this.instances.set(about.id, instance);
    return instance;
  }
}
