import { fromBinary } from '@bufbuild/protobuf';
import { CommandResultSchema } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { DisconnectPolicy } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { type Clock, systemClock } from '../../../platform/clock.ts';
import type { Logger } from '../../../platform/logger.ts';
import type {
  Adapter,
  AdapterCommand,
  AdapterContext,
  AdapterNotices,
  CommandBody,
  CommandCase,
  ExecutionContext,
  Outcome,
  PriceNews,
  PriceWish,
  Recovery,
  SessionPolicy,
  StatusInit,
  VenueEventJournal,
} from '../adapter.ts';
import { applyChange, equity, isPaused, OWN, symbolKey } from './account.ts';
import { AccountStore } from './account-store.ts';
import { priceCosts } from './costs.ts';
import type { Effect, EffectContext } from './effect.ts';
import { PaperBook } from './paper-book.ts';
import { cancelOrders, closePosition, openPosition, referenceMs, restingOrders } from './positions.ts';
import { LEVERAGE_MAX } from './paper-venue.ts';
import { PriceFollower, readPrice } from './price-follower.ts';
import { setPaused, startSession, startStrategy, stopAll, stopSession, stopStrategy } from './sessions.ts';
import { venueLatency } from './venue-latency.ts';

/** Settings of the paper venue. */
export interface PaperOptions {
  /** Balance of the account in its quote asset, decimal, when it is new. Default 10000. */
  readonly initialBalance?: string;
  /** Highest leverage that it grants, decimal. Default 125, as in back-tests. */
  readonly maxLeverage?: string;
  /** How long the venue takes over each command, milliseconds. Default 0. */
  readonly latencyMs?: number;
  /** Fee of each fill, in percent of its value, decimal. Default 0. */
  readonly feePct?: string;
  /** Whole spread between buying and selling, in percent of the price, decimal. Default 0. */
  readonly spreadPct?: string;
  /** By how much market orders are dealt worse than that, in percent of the price, decimal. Default 0. */
  readonly slippagePct?: string;
}

/** Every kind of the wire format. */
const ALL_KINDS: readonly CommandCase[] = [
  'startStrategy',
  'stopStrategy',
  'pause',
  'resume',
  'stopAll',
  'getStatus',
  'startSession',
  'stopSession',
  'openPosition',
  'closePosition',
  'cancelOrders',
  'ping',
];

const DEFAULTS = {
  initialBalance: '10000',
  maxLeverage: LEVERAGE_MAX,
  latencyMs: 0,
  feePct: '0',
  spreadPct: '0',
  slippagePct: '0',
} as const;

/**
 * A venue on paper: every kind, an account that survives restarts, fills at the command's reference price or, without one, at
 * the last price seen of the symbol, worse by the costs that it is told. It follows the platform's prices: they trigger stop
 * loss, take profit and liquidation, each at its own price. No price is ever invented. Each effect is recorded together with
 * its command's tag, so that `recover` is exact.
 */
export function createPaperAdapter(options: PaperOptions = {}): Adapter {
  return new PaperAdapter({ ...DEFAULTS, ...options });
}

class PaperAdapter implements Adapter {
  readonly name = 'paper';
  readonly kinds = ALL_KINDS;
  readonly #options: Required<PaperOptions>;
  #store: AccountStore | undefined;
  #book: PaperBook | undefined;
  #follower = new PriceFollower(systemClock);
  #notices: AdapterNotices | undefined;
  #clock: Clock = systemClock;
  #logger: Logger | undefined;
  #followed = '';

  constructor(options: Required<PaperOptions>) {
    this.#options = options;
  }

  get venueEvents(): VenueEventJournal {
    return this.#opened.events;
  }

  async open({ directory, notices, clock = systemClock, logger }: AdapterContext): Promise<void> {
    this.#store = new AccountStore(directory);
    this.#book = new PaperBook(this.#store, {
      costs: priceCosts(this.#options),
      maxLeverage: this.#options.maxLeverage,
    });
    this.#notices = notices;
    this.#clock = clock;
    this.#logger = logger;
    this.#follower = new PriceFollower(clock);
    if (!this.#book.account.ledger.has(OWN)) {
      const change = { collection: 'ledger', key: OWN, value: this.#options.initialBalance } as const;
      applyChange(this.#book.account, change);
      await this.#store.record([change]);
    }
    this.#followSymbols();
  }

  close(): void {
    this.#store?.close();
  }

  async execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> {
    if (this.#options.latencyMs > 0) await venueLatency(this.#options.latencyMs, context);
    const { body } = command;
    if (body.case === 'ping') {
      return { status: 'succeeded', result: { summary: 'pong', payload: body.value.payload } };
    }
    if (body.case === 'getStatus') {
      return { status: 'succeeded', result: { summary: 'status of the paper account', status: this.status() } };
    }
    const { tag, signal } = context;
    const earlier = this.#effectOf(tag);
    if (earlier !== undefined) return earlier;
    const decision = decisionOf(body);
    // What a stop did up to the decision comes before the order.
    if (decision !== undefined) await this.#follower.caughtUp(decision.symbol, decision.timeMs, signal);
    const later =
      decision !== undefined && body.case === 'openPosition'
        ? this.#follower.after(decision.symbol, decision.timeMs)
        : [];
    const act = { tag, commandId: command.id, nowMs: context.nowMs() };
    const outcome = await this.#open.perform(act, (effect) => actOn(body, effect), later);
    if (outcome.status === 'succeeded') this.#changed();
    return outcome;
  }

  priceInterest(): readonly PriceWish[] {
    const { quote } = this.#open.account;
    return [...this.#open.symbols()].map((symbol) => {
      const seen = quote.get(symbol);
      return seen === undefined ? { symbol } : { symbol, afterSequence: BigInt(seen.sequence) };
    });
  }

  async takePrices({ prices, freshness, missedSymbols }: PriceNews): Promise<void> {
    if (missedSymbols.length > 0) {
      this.#logger?.warn({ symbols: missedSymbols }, 'prices are lost: what they would have triggered is not known');
    }
    const readable = prices.map(readPrice).filter((price) => price !== undefined);
    if (readable.length < prices.length) {
      this.#logger?.warn({ prices: prices.length - readable.length }, 'prices that make no sense ignored');
    }
    const taken = this.#open.takePrices(readable, this.#clock.nowMs());
    for (const price of readable) this.#follower.seen(price);
    for (const news of freshness) this.#follower.freshness(news);
    if (await taken) this.#changed();
  }

  disconnectPolicies(): readonly SessionPolicy[] {
    return [...this.#open.account.session.values()].map((session) => ({
      sessionId: session.sessionId,
      policy: session.disconnectPolicy ?? DisconnectPolicy.HOLD,
      afterMs: session.disconnectAfterMs,
      applied: session.disconnectApplied ?? false,
    }));
  }

  async applyDisconnectPolicy(sessionId: string, lostForMs: number): Promise<void> {
    const nowMs = this.#clock.nowMs();
    await this.#open.disconnect(sessionId, lostForMs, { tag: 'disconnect', commandId: '', nowMs });
    this.#changed();
  }

  platformReturned(): Promise<void> {
    return this.#open.reconnected();
  }

  recover(_command: AdapterCommand, { tag }: { readonly tag: string }): Recovery {
    return this.#effectOf(tag) ?? 'not_executed';
  }

  status(): StatusInit {
    const { account } = this.#open;
    const positions = [...account.position.values()];
    return {
      sessions: [...account.session.values()].map(({ sessionId, mode, paused, instances }) => ({
        sessionId,
        mode,
        paused,
        instances: instances.map((instance) => ({ ...instance, strategyRevision: BigInt(instance.strategyRevision) })),
      })),
      positions: positions.map(({ sessionId, strategyId, symbol, side, quantity, entryPrice }) => ({
        sessionId,
        strategyId,
        symbol,
        side,
        quantity,
        entryPrice,
      })),
      openOrders: positions.reduce((sum, position) => sum + restingOrders(position), 0),
      equity: equity(account).toString(),
      paused: isPaused(account),
    };
  }

  priceOf(symbol: string, referencePrice: string): string | undefined {
    return referencePrice === '' ? this.#open.account.price.get(symbolKey(symbol)) : referencePrice;
  }

  get #opened(): AccountStore {
    if (this.#store === undefined) throw new Error('the paper adapter is used before it was opened');
    return this.#store;
  }

  get #open(): PaperBook {
    if (this.#book === undefined) throw new Error('the paper adapter is used before it was opened');
    return this.#book;
  }

  /** After a change: events may wait to be told, and other symbols may matter. */
  #changed(): void {
    this.#notices?.eventsWritten();
    if (this.#followSymbols()) this.#notices?.interestChanged();
  }

  /** Whether the symbols that matter are others than before. */
  #followSymbols(): boolean {
    const { quote } = this.#open.account;
    const symbols = this.#open.symbols();
    this.#follower.follow(new Map([...symbols].map((symbol) => [symbol, quote.get(symbol)?.timeMs])));
    const followed = JSON.stringify([...symbols].toSorted());
    const isNew = followed !== this.#followed;
    this.#followed = followed;
    return isNew;
  }

  #effectOf(tag: string): Outcome | undefined {
    const result = this.#opened.effectOf(tag);
    return result === undefined ? undefined : { status: 'succeeded', result: fromBinary(CommandResultSchema, result) };
  }
}

/** The market time of an order's decision, where it has one. */
function decisionOf(body: CommandBody): { readonly symbol: string; readonly timeMs: number } | undefined {
  if (body.case !== 'openPosition' && body.case !== 'closePosition') return undefined;
  const timeMs = referenceMs(body.value);
  return timeMs === undefined ? undefined : { symbol: body.value.symbol, timeMs };
}

/** What the command does to the account. */
function actOn(body: Exclude<CommandBody, { case: 'ping' | 'getStatus' }>, context: EffectContext): Effect {
  switch (body.case) {
    case 'startSession':
      return startSession(context, body.value);
    case 'stopSession':
      return stopSession(context, body.value);
    case 'stopAll':
      return stopAll(context, body.value);
    case 'pause':
      return setPaused(context, body.value, true);
    case 'resume':
      return setPaused(context, body.value, false);
    case 'startStrategy':
      return startStrategy(context, body.value);
    case 'stopStrategy':
      return stopStrategy(context, body.value);
    case 'openPosition':
      return openPosition(context, body.value);
    case 'closePosition':
      return closePosition(context, body.value);
    case 'cancelOrders':
      return cancelOrders(context, body.value);
    default:
      return neverKind(body);
  }
}

function neverKind(body: never): never {
  throw new Error(`the paper adapter does not know ${JSON.stringify(body)}`);
}
