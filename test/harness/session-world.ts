import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Client } from '@connectrpc/connect';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import {
  type Instance,
  IntentSchema,
  IntentType,
  type Outcome,
  OutcomeType,
  Section,
} from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { Session } from '../../proto/gen/strategos/session/v1/session_pb.js';
import {
  SessionService,
  type StartSessionRequestSchema,
} from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import {
  PositionSizeType,
  type StrategyDefinition,
  StrategyDefinitionSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { freePort } from './port.ts';
import { serviceProgram } from './programs.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import { Secret } from '../../services/platform/config.ts';
import { Stack } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { startSessionService } from '../../services/session/service.ts';
import { Clients } from './clients.ts';
import { Controlled } from './controlled.ts';
import { SessionNeighbours } from './session-neighbours.ts';
import { FOUNDER, type StackOptions, startStack, type TestStack } from './stack.ts';
import { until } from './until.ts';

export const SYMBOL = 'BTC_USDT';
/** Market time of the first decision. */
export const FIRST_MS = Date.UTC(2024, 0, 1);

const ASK_UNKNOWN_AFTER_MS = 1_000;

/** A session service in this process. */
export interface SessionReplica {
  readonly client: Client<typeof SessionService>;
  stop(): Promise<void>;
}

/** What a test says of a decision; everything else is usual. */
export interface Decision {
  readonly type: IntentType;
  readonly id?: string;
  readonly price?: string;
  readonly revision?: number;
  readonly section?: Section;
  readonly definition?: StrategyDefinition;
}

/** Sessions over a real command service and real agents, with stand-ins for evaluators and the strategy service. */
export class SessionWorld implements AsyncDisposable {
  readonly stack: TestStack;
  readonly neighbours: SessionNeighbours;
  readonly replicas: SessionReplica[] = [];
  readonly #parts = new Stack();
  readonly #clients = new Clients();

  private constructor(stack: TestStack, neighbours: SessionNeighbours) {
    this.stack = stack;
    this.neighbours = neighbours;
  }

  /** With no replica the test starts session services itself. */
  static async start(replicas: 0 | 1 = 1, options: StackOptions = {}): Promise<SessionWorld> {
    const stack = await startStack({ gateway: false, ...options });
    const world = new SessionWorld(stack, await SessionNeighbours.start(stack.internalToken));
    if (replicas === 1) await world.addReplica();
    return world;
  }

  get client(): Client<typeof SessionService> {
    const [first] = this.replicas;
    if (first === undefined) throw new Error('no session service runs');
    return first.client;
  }

  async addReplica(): Promise<SessionReplica> {
    const { service, port } = await startSessionService(
      {
        databaseUrl: this.stack.databaseUrl,
        natsUrl: this.stack.natsUrl,
        logLevel: 'error',
        replicaId: `session-${this.replicas.length}`,
        internalToken: new Secret(this.stack.internalToken),
        host: '127.0.0.1',
        port: 0,
        urls: this.urls,
        postgresConnectionsMax: 8,
        limits: { askUnknownAfterMs: ASK_UNKNOWN_AFTER_MS },
        historyDays: 30,
      },
      createLogger('session', 'error'),
    );
    this.#parts.add(service);
    const replica = { client: this.clientOf(`http://127.0.0.1:${port}`), stop: () => service.stop() };
    this.replicas.push(replica);
    return replica;
  }

  /** Where a session service finds the others. */
  get urls() {
    const { url } = this.neighbours;
    return { command: this.stack.commandUrls, strategy: [url], evaluator: [url], backtest: [url] };
  }

  /** A session service as a process of its own, which can be killed. */
  async startProcess(
    name: string,
  ): Promise<{ readonly process: Controlled<ServiceProcess>; readonly client: Client<typeof SessionService> }> {
    const port = await freePort();
    const { url } = this.neighbours;
    const program = serviceProgram('session');
    const process = this.#parts.add(
      new Controlled(name, () =>
        ServiceProcess.start({
          name,
          entry: program.entry,
          env: {
            ...program.env,
            DATABASE_URL: this.stack.databaseUrl,
            NATS_URL: this.stack.natsUrl,
            STRATEGOS_INTERNAL_TOKEN: this.stack.internalToken,
            STRATEGOS_REPLICA_ID: name,
            STRATEGOS_SESSION_PORT: String(port),
            STRATEGOS_COMMAND_URLS: this.stack.commandUrls.join(','),
            STRATEGOS_STRATEGY_URLS: url,
            STRATEGOS_EVALUATOR_URLS: url,
          },
          logFile: this.stack.data.log(name),
          recordFile: this.stack.data.record(name),
        }),
      ),
    );
    await process.start();
    return { process, client: this.clientOf(`http://127.0.0.1:${port}`) };
  }

  clientOf(url: string): Client<typeof SessionService> {
    return this.#clients.internal(SessionService, url, this.stack.internalToken, FOUNDER);
  }

  /** A paper agent that is connected; returns the executor's name. */
  async agent(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    await this.stack.startAgent({ credentials: await this.stack.createExecutor(name, labels) });
    return name;
  }

  /** Starts a paper session of one strategy that the strategy service knows. */
  async paper(
    executor: string,
    strategy: string,
    rest: MessageInitShape<typeof StartSessionRequestSchema> = {},
  ): Promise<Session> {
    const { session } = await this.client.startSession({
      mode: SessionMode.PAPER,
      executor,
      strategies: [{ strategy, symbols: [SYMBOL] }],
      initialBalance: '10000',
      ...rest,
    });
    return present(session);
  }

  async session(id: string): Promise<Session> {
    return present((await this.client.getSession({ id })).session);
  }

  /** Hands over what an instance of the session has decided; returns the intent's id. */
  async decide(session: Session, decision: Decision): Promise<string> {
    const intent = this.intent(session, decision);
    await this.client.submitIntents({ intents: [intent] });
    return intent.id;
  }

  intent(session: Session, { type, id = randomUUID(), price = '100', ...rest }: Decision) {
    const [activation] = session.activations;
    if (activation === undefined) throw new Error('the session has no instance');
    return create(IntentSchema, {
      id,
      type,
      price,
      sessionId: session.id,
      instanceId: activation.instanceId,
      strategyId: activation.strategyId,
      symbol: activation.symbol,
      section: rest.section ?? (type === IntentType.EXIT ? Section.ZE1_CLOSE : Section.Z1_ENTRY),
      reason: 'conditions_met',
      revision: BigInt(rest.revision ?? Number(activation.revision)),
      time: timestampFromMs(FIRST_MS),
      definition: rest.definition ?? pumpStrategy(activation.strategyName),
    });
  }

  /** What the evaluator is told of an intent. */
  outcome(intentId: string, type: OutcomeType): Promise<Outcome> {
    const found = () =>
      [...this.neighbours.outcomes.values()].find((each) => each.intentId === intentId && each.type === type);
    return until(found, `${OutcomeType[type]} of ${intentId}`);
  }

  instance(session: Session, strategy = 0): Promise<Instance> {
    const id = session.activations[strategy]?.instanceId ?? '';
    return until(() => this.neighbours.instances.get(id), `instance ${id}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clients[Symbol.dispose]();
    await this.#parts.stop();
    await this.neighbours[Symbol.asyncDispose]();
    await this.stack[Symbol.asyncDispose]();
  }
}

/** So many percent of the equity (two where nothing is said), stop five percent below, target ten above. */
export function pumpStrategy(strategyName: string, value = 2): StrategyDefinition {
  return create(StrategyDefinitionSchema, {
    strategyName,
    z1Entry: {
      positionSize: { type: PositionSizeType.PERCENTAGE, value },
      stopLoss: { enabled: true, offsetPercent: 5 },
      takeProfit: { enabled: true, offsetPercent: 10 },
    },
  });
}

function present(session: Session | undefined): Session {
  if (session === undefined) throw new Error('the response holds no session');
  return session;
}
