import { fromJson } from '@bufbuild/protobuf';
import { ConnectRequestSchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import type { VenueEvent } from '../../proto/gen/strategos/command/v1/venue_event_pb.js';
import type {
  Adapter,
  AdapterCommand,
  CommandCase,
  ExecutionContext,
  Outcome,
  Recovery,
  StatusInit,
} from '../../services/executor/index.ts';
import { describedFrame } from '../golden/frame.ts';
import { KIND_FIELDS } from '../golden/sample-commands.ts';
import { SAMPLE } from '../golden/sample-values.ts';

interface Execution {
  readonly command: AdapterCommand;
  readonly context: ExecutionContext;
  readonly outcome: PromiseWithResolvers<Outcome>;
}

const COMMAND_CASES = KIND_FIELDS.map((kind) => kind.localName);

function isCommandCase(name: string): name is CommandCase {
  return COMMAND_CASES.includes(name);
}

/** A venue at which nothing ends before it is told to, and at which the session of the samples is open. */
export class HeldVenue implements Adapter {
  readonly name = 'held';
  readonly kinds: readonly CommandCase[];
  /** What has reached the venue, in order. */
  readonly executed: AdapterCommand[] = [];
  readonly #held = new Map<string, Execution>();
  #changed = Promise.withResolvers<void>();

  /** @param kinds proto names of what it executes; default: everything that the wire format knows */
  constructor(kinds: readonly string[] = KIND_FIELDS.map((kind) => kind.name)) {
    this.kinds = KIND_FIELDS.filter((kind) => kinds.includes(kind.name))
      .map((kind) => kind.localName)
      .filter(isCommandCase);
  }

  execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> {
    this.executed.push(command);
    const execution = { command, context, outcome: Promise.withResolvers<Outcome>() };
    this.#held.set(command.id, execution);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return execution.outcome.promise;
  }

  recover(): Recovery {
    return 'unknown';
  }

  status(): StatusInit {
    const instance = { strategyId: 'strategy-1', symbol: 'BTC_USDT', strategyRevision: 3n };
    return { sessions: [{ sessionId: 'session-1', instances: [instance] }] };
  }

  priceOf(): string {
    return '2';
  }

  /** The execution of a command, as soon as it has begun. */
  async execution(commandId: string): Promise<Execution> {
    for (let found = this.#held.get(commandId); ; found = this.#held.get(commandId)) {
      if (found !== undefined) return found;
      await this.#changed.promise;
    }
  }

  async progress(commandId: string, message: string, percent: number): Promise<void> {
    (await this.execution(commandId)).context.progress(message, percent);
  }

  async succeed(commandId: string): Promise<void> {
    const { outcome } = await this.execution(commandId);
    const fill = {
      symbol: 'BTC_USDT',
      side: Side.BUY,
      quantity: '1.5',
      price: '2',
      fee: '0.1',
      venueOrderId: 'order-1',
    };
    outcome.resolve({ status: 'succeeded', result: { summary: 'done at the venue', fills: [fill] } });
  }

  async fail(commandId: string): Promise<void> {
    const { outcome } = await this.execution(commandId);
    const metadata = { venue_code: '42' };
    outcome.resolve({
      status: 'failed',
      retryable: false,
      message: 'the venue refused',
      reason: 'VENUE_REJECTED',
      metadata,
    });
  }

  /** What a transcript says that the venue does. */
  async act(does: 'succeeds' | 'fails' | 'reports', commandId: string): Promise<void> {
    if (does === 'succeeds') await this.succeed(commandId);
    else if (does === 'fails') await this.fail(commandId);
    else await this.progress(commandId, 'half of it is done', 50);
  }
}

/** A venue that trades by itself: it wants prices, and tells what happened there without a command. */
export class TradingVenue extends HeldVenue {
  /** What of prices has reached the venue: copied, for an adapter may read everything that it is handed. */
  readonly taken: unknown[] = [];
  /** Numbers of its events that the platform has made durable. */
  readonly durable: bigint[] = [];
  readonly venueEvents = {
    journalId: SAMPLE.journalId,
    read: (afterNumber: bigint): VenueEvent[] => sampleEvents().filter(({ number }) => number > afterNumber),
    acknowledge: async (numbers: readonly bigint[]): Promise<void> => {
      this.durable.push(...numbers);
    },
  };

  priceInterest() {
    return [{ symbol: 'BTC_USDT' }];
  }

  takePrices({ prices, freshness, missedSymbols }: PriceNews): void {
    for (const price of prices) this.taken.push({ ...price, price: { ...price.price.value } });
    for (const each of freshness) this.taken.push({ ...each });
    this.taken.push(...missedSymbols);
  }
}

type PriceNews = Parameters<NonNullable<Adapter['takePrices']>>[0];

function sampleEvents(): VenueEvent[] {
  const { frame } = fromJson(ConnectRequestSchema, describedFrame('executor', 'executor venue_events/position_closed'));
  return frame.case === 'venueEvents' ? frame.value.events : [];
}
