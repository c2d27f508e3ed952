import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { Client as PostgresClient, type QueryResultRow } from 'pg';
import { dataDirectoryAt } from '../../deploy/local/data-directory.ts';
import { serviceProgram } from './programs.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import {
  type Evaluation,
  type Instance,
  InstanceState,
  InstanceStatus,
  type Intent,
  IntentType,
  type OutcomeSchema,
  OutcomeType,
  PinPolicy,
  Section,
} from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { EvaluatorService } from '../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import {
  Operator,
  type StrategyChange,
  StrategyChangeSchema,
  type StrategyDefinition,
  StrategyDefinitionSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { envToConfig } from '../../services/evaluator/config.ts';
import { startEvaluatorService } from '../../services/evaluator/service.ts';
import { Secret } from '../../services/platform/config.ts';
import { internalHeaders } from '../../services/platform/grpc/caller.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import type { Running } from '../../services/platform/lifecycle.ts';
import { createLogger } from '../../services/platform/logger.ts';
import { connectNats, type NatsLink } from '../../services/platform/nats/connection.ts';
import { strategyChangedSubject } from '../../services/platform/nats/subject.ts';
import { theServers } from './current-run.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { type Neighbourhood, startNeighbourhood } from './evaluator-neighbours.ts';
import { until } from './until.ts';

const TOKEN = 'evaluator-world-token';
export const SYMBOL = 'BTC_USDT';
/** Market time of the first event. */
export const FIRST_MS = Date.UTC(2024, 0, 1);

/** One evaluator replica in this process. */
export interface EvaluatorReplica extends AsyncDisposable {
  readonly replicaId: string;
  readonly client: Client<typeof EvaluatorService>;
  stop(): Promise<void>;
}

/** Evaluator replicas over one database, with neighbours that do what the test says. */
export class EvaluatorWorld implements AsyncDisposable {
  readonly accountId: string;
  readonly sessionId = randomUUID();
  readonly neighbours: Neighbourhood;
  readonly options: CallOptions;
  readonly database: TestDatabase;
  readonly #natsUrl: string;
  readonly #nats: NatsLink;
  readonly #postgres: PostgresClient;
  readonly #replicas: EvaluatorReplica[] = [];

  private constructor(database: TestDatabase, natsUrl: string, neighbours: Neighbourhood, postgres: PostgresClient) {
    this.database = database;
    this.neighbours = neighbours;
    this.accountId = neighbours.strategies.accountId;
    this.#natsUrl = natsUrl;
    this.#postgres = postgres;
    this.#nats = connectNats({ url: natsUrl, name: 'evaluator world', logger: createLogger('world', 'silent') });
    const caller = { accountId: this.accountId, role: 'admin', subject: 'test' } as const;
    this.options = { headers: internalHeaders(new Secret(TOKEN), caller, undefined) };
  }

  static async start(): Promise<EvaluatorWorld> {
    const { natsUrl } = await theServers();
    const database = await createDatabase();
    const neighbours = await startNeighbourhood(`account-${randomUUID()}`, TOKEN);
    neighbours.market.sources.add(SYMBOL);
    const postgres = new PostgresClient({ connectionString: database.url });
    await postgres.connect();
    return new EvaluatorWorld(database, natsUrl, neighbours, postgres);
  }

  /** What a process of the service is told; its port is free to choose. */
  env(replicaId: string): Record<string, string> {
    const { url } = this.neighbours;
    return {
      DATABASE_URL: this.database.url,
      NATS_URL: this.#natsUrl,
      STRATEGOS_INTERNAL_TOKEN: TOKEN,
      STRATEGOS_REPLICA_ID: replicaId,
      STRATEGOS_EVALUATOR_PORT: '0',
      STRATEGOS_STRATEGY_URLS: url,
      STRATEGOS_MARKET_URLS: url,
      STRATEGOS_SESSION_URLS: url,
      STRATEGOS_LOG_LEVEL: 'warn',
    };
  }

  async replica(replicaId: string): Promise<EvaluatorReplica> {
    const logger = createLogger('evaluator', 'error');
    const { service, port } = await startEvaluatorService(envToConfig(this.env(replicaId)), logger);
    return this.connect(replicaId, port, service);
  }

  /** A replica as a process of its own, to be killed or frozen. */
  async process(replicaId: string): Promise<{ readonly replica: EvaluatorReplica; readonly process: ServiceProcess }> {
    const stacks = join((await theServers()).directory, 'stacks');
    await mkdir(stacks, { recursive: true });
    const data = dataDirectoryAt(await mkdtemp(join(stacks, 'evaluator-')));
    await mkdir(join(data.root, 'logs'), { recursive: true });
    const program = serviceProgram('evaluator');
    const process = await ServiceProcess.start({
      name: replicaId,
      entry: program.entry,
      env: { ...program.env, ...this.env(replicaId) },
      logFile: data.log(replicaId),
      recordFile: data.record(replicaId),
    });
    return { replica: this.connect(replicaId, process.ports['internal'] ?? 0, process), process };
  }

  /** Another replica that runs already, in this process or not. */
  connect(replicaId: string, port: number, service: Pick<Running, 'stop'>): EvaluatorReplica {
    const transport = createGrpcTransport({ urls: [`http://127.0.0.1:${port}`], ownConnection: true });
    const stop = async (): Promise<void> => {
      transport.close();
      await service.stop();
    };
    const client = createClient(EvaluatorService, transport);
    const replica = { replicaId, client, stop, [Symbol.asyncDispose]: stop };
    this.#replicas.push(replica);
    return replica;
  }

  /** Saves a revision, and tells of it as the strategy service would unless told not to. */
  save(id: string, definition: StrategyDefinition, { hint = true } = {}): StrategyChange {
    const change = this.neighbours.strategies.save(id, definition);
    if (hint) this.hint(change);
    return change;
  }

  hint(change: StrategyChange): void {
    this.#nats.publish(strategyChangedSubject(this.accountId), toBinary(StrategyChangeSchema, change));
  }

  /** Activates the strategy on the symbol and gives the answer. */
  async activate(
    { client }: EvaluatorReplica,
    strategyId: string,
    wish: { id?: string; revision?: bigint; symbol?: string; pinned?: boolean; waitMs?: number; paused?: boolean } = {},
  ): Promise<Instance> {
    const instance = {
      instanceId: wish.id ?? randomUUID(),
      strategyId,
      revision: wish.revision ?? BigInt(this.neighbours.strategies.revision),
      symbol: wish.symbol ?? SYMBOL,
      pinPolicy: wish.pinned === true ? PinPolicy.PINNED : PinPolicy.FOLLOW_LATEST,
    };
    const wait = { seconds: BigInt(Math.floor((wish.waitMs ?? 10_000) / 1_000)), nanos: 0 };
    const request = { sessionId: this.sessionId, instances: [instance], wait, paused: wish.paused ?? false };
    const { instances } = await client.activateInstances(request, this.options);
    const [answer] = instances;
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  async instance({ client }: EvaluatorReplica, id: string): Promise<Instance> {
    const { instances } = await client.listInstances({ ended: true }, this.options);
    const found = instances.find((instance) => instance.id === id);
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  }

  /** Waits until the instance is in a state. */
  async state(replica: EvaluatorReplica, id: string, state: keyof typeof InstanceState): Promise<Instance> {
    return until(
      async () => {
        const instance = await this.instance(replica, id);
        return instance.state === InstanceState[state] && instance;
      },
      `instance in ${state}`,
      15_000,
    );
  }

  /** Waits for the n-th intent of a type. */
  async intent(type: keyof typeof IntentType, n = 1): Promise<Intent> {
    const found = (): Intent | undefined =>
      this.neighbours.session.intents.filter((intent) => intent.type === IntentType[type])[n - 1];
    return until(found, `intent ${type} number ${n}`, 15_000);
  }

  /** Reports an outcome at the time of the intent that it answers. */
  async report(
    { client }: EvaluatorReplica,
    intent: Intent,
    type: keyof typeof OutcomeType,
    more: MessageInitShape<typeof OutcomeSchema> = {},
  ): Promise<void> {
    const outcome = {
      id: `${intent.id}-${type}`,
      instanceId: intent.instanceId,
      intentId: intent.id,
      type: OutcomeType[type],
      section: Section.VENUE,
      price: intent.price,
      quantity: '1',
      ...(intent.time === undefined ? {} : { time: intent.time }),
      ...more,
    };
    await client.reportOutcomes({ outcomes: [outcome] }, this.options);
  }

  /** Every evaluation so far, in commit order, read through a watch. */
  async evaluations({ client }: EvaluatorReplica, count: number): Promise<Evaluation[]> {
    const found: Evaluation[] = [];
    const signal = AbortSignal.timeout(15_000);
    for await (const { evaluation } of client.watchTransitions({ fromStart: true }, { ...this.options, signal })) {
      if (evaluation !== undefined) found.push(evaluation);
      if (found.length >= count) break;
    }
    return found;
  }

  async sql<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#postgres.query<Row>(text, values)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.#replicas) await replica.stop();
    await this.#nats.stop();
    await this.neighbours[Symbol.asyncDispose]();
    await this.#postgres.end();
    await this.database[Symbol.asyncDispose]();
  }
}

/** The instance's transitions in short: "MONITORING>SIGNAL_DETECTED s1_signal conditions_met". */
export function shortly({ fromState, toState, section, reason, blocked }: Evaluation): string {
  const to = blocked ? 'blocked' : InstanceState[toState];
  return `${InstanceState[fromState]}>${to} ${Section[section].toLowerCase()} ${reason}`;
}

export function statusOf(instance: Instance): string {
  return InstanceStatus[instance.status];
}

/** The steps of a trade that its own section ends. */
export const TRADE = [
  'MONITORING>SIGNAL_DETECTED s1_signal conditions_met',
  'SIGNAL_DETECTED>ENTRY_EVALUATION z1_entry conditions_met',
  'ENTRY_EVALUATION>POSITION_ACTIVE venue filled',
  'POSITION_ACTIVE>EXITED ze1_close conditions_met',
  'EXITED>MONITORING ze1_close exited',
];

/** Minutes after the first event, as a time of the market. */
export function minute(n: number): number {
  return FIRST_MS + n * 60_000;
}

export function minuteTime(n: number) {
  return timestampFromMs(minute(n));
}

function at(id: string, indicatorId: string, operator: Operator, value: number) {
  return { conditions: [{ id, indicatorId, operator, value }] };
}

/** A strategy with one condition a section: signal at a pump, entry below a price, exit above one, emergency on a crash. */
export function pumpStrategy(
  wish: { signal?: number; entryBelow?: number; exitAbove?: number; timeoutSeconds?: number; indicator?: string } = {},
): StrategyDefinition {
  return create(StrategyDefinitionSchema, {
    strategyName: 'pump',
    s1Signal: at('s', wish.indicator ?? 'pump_magnitude_pct', Operator.GREATER_OR_EQUAL, wish.signal ?? 5),
    z1Entry: at('z', 'price', Operator.LESS, wish.entryBelow ?? 100),
    ze1Close: at('x', 'price', Operator.GREATER, wish.exitAbove ?? 200),
    o1Cancel: { timeoutSeconds: wish.timeoutSeconds ?? 300, cooldownMinutes: 5 },
    emergencyExit: { ...at('e', 'pump_magnitude_pct', Operator.LESS, -20), cooldownMinutes: 30 },
  });
}
