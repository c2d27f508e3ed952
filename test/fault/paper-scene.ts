import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Command, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import type { IssueCommandRequestSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { WatchVenueEventsResponse } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type DisconnectPolicy, SessionMode, Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import type { VenueEvent } from '../../proto/gen/strategos/command/v1/venue_event_pb.js';
import type { AgentOptions, TestAgent } from '../harness/agent.ts';
import type { FakeMarket } from '../harness/fake-market.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { ended, online } from './observe.ts';

type KindInit = NonNullable<MessageInitShape<typeof IssueCommandRequestSchema>['kind']>;

/** A platform with a market that the test makes. */
export async function startPaperStack(market: FakeMarket): Promise<TestStack> {
  return startStack({ gateway: false, commandEnv: { STRATEGOS_MARKET_URLS: market.url } });
}

/** A paper agent in a process of its own whose only way to the platform leads through a proxy, and what a test does with it. */
export class PaperScene implements AsyncDisposable {
  readonly stack: TestStack;
  readonly market: FakeMarket;
  readonly proxy: TcpProxy;
  readonly agent: TestAgent;
  readonly name: string;
  /** Each scene has a symbol of its own, so that scenes on one stack leave each other alone. */
  readonly symbol: string;
  #minute = 0;

  private constructor(stack: TestStack, market: FakeMarket, proxy: TcpProxy, agent: TestAgent, name: string) {
    this.stack = stack;
    this.market = market;
    this.proxy = proxy;
    this.agent = agent;
    this.name = name;
    this.symbol = `${name.toUpperCase().replaceAll('-', '_')}_USDT`;
  }

  static async start(
    stack: TestStack,
    market: FakeMarket,
    name: string,
    options: Partial<AgentOptions> = {},
  ): Promise<PaperScene> {
    const proxy = await TcpProxy.start(Number(new URL(stack.linkUrls[0] ?? '').port));
    const agent = await stack.startAgent({
      credentials: await stack.createExecutor(name),
      linkUrls: [proxy.url],
      gatewayUrl: '',
      ...options,
    });
    await online(stack, name);
    return new PaperScene(stack, market, proxy, agent, name);
  }

  /** Closes the next minute. */
  candle(low: string, high: string, close: string): void {
    this.#minute = this.market.candle(this.symbol, low, high, close);
  }

  /** Issues a command. */
  async issue(kind: KindInit): Promise<string> {
    const { command } = await this.stack.replicaCommandClient(0).issueCommand({ executor: this.name, kind });
    return command?.id ?? '';
  }

  /** Issues a command and waits for its success. */
  async run(kind: KindInit): Promise<Command> {
    const command = await ended(this.stack.replicaCommandClient(0), await this.issue(kind), 30_000);
    if (command.state !== CommandState.SUCCEEDED) {
      throw new Error(`${kind.case} ended ${CommandState[command.state]}: ${command.error?.message}`);
    }
    return command;
  }

  /** A session with 1000 that trades the scene's symbol, its strategy, and one bought at 100 with its stop at 95. */
  async enter(policy: DisconnectPolicy, afterMs: number, sessionId = this.name): Promise<Command> {
    await this.run({
      case: 'startSession',
      value: {
        sessionId,
        mode: SessionMode.PAPER,
        initialBalance: '1000',
        symbols: [this.symbol],
        disconnectPolicy: policy,
        disconnectAfter: durationFromMs(afterMs),
      },
    });
    await this.run({ case: 'startStrategy', value: { ...this.key, sessionId, strategyRevision: 1n } });
    this.candle('99', '101', '100');
    return this.run(this.entry({ ...this.key, sessionId }));
  }

  /** An entry decided at the newest minute. */
  entry(key = this.key): KindInit {
    return {
      case: 'openPosition',
      value: {
        ...key,
        side: Side.BUY,
        quantity: '1',
        referencePrice: '100',
        stopLossPrice: '95',
        takeProfitPrice: '110',
        referenceTime: timestampFromMs(this.market.closeMs(this.#minute)),
      },
    };
  }

  /** An exit decided at the newest minute. */
  exit(referencePrice: string): KindInit {
    const referenceTime = timestampFromMs(this.market.closeMs(this.#minute));
    return { case: 'closePosition', value: { ...this.key, referencePrice, referenceTime } };
  }

  get key() {
    return { sessionId: this.name, strategyId: 'x', symbol: this.symbol };
  }

  /** Watches the executor's venue events from the first one until `enough`. */
  async eventsUntil(enough: (events: readonly VenueEvent[]) => boolean): Promise<VenueEvent[]> {
    const events = await collectVenueEvents(this.stack, { executor: this.name, fromStart: true }, (seen) =>
      enough(seen.flatMap(({ event }) => event ?? [])),
    );
    return events.flatMap(({ event }) => event ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.kill();
    await this.proxy[Symbol.asyncDispose]();
  }
}

/** Watches until `enough`, and returns the responses that carry an event. */
export async function collectVenueEvents(
  stack: TestStack,
  request: { readonly executor?: string; readonly fromStart?: boolean; readonly cursor?: string },
  enough: (events: readonly WatchVenueEventsResponse[]) => boolean,
  replica = 0,
): Promise<WatchVenueEventsResponse[]> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(60_000)]);
  const events: WatchVenueEventsResponse[] = [];
  for await (const response of stack.replicaExecutorClient(replica).watchVenueEvents(request, { signal })) {
    if (response.event !== undefined) events.push(response);
    if (enough(events)) break;
  }
  done.abort();
  return events;
}

/** The closings among events, each as one line: reason and price. */
export function closings(events: readonly VenueEvent[]): string[] {
  return events.flatMap(({ event }) =>
    event.case === 'positionClosed' ? [`${event.value.reason} at ${event.value.fill?.price}`] : [],
  );
}
