import { create, toBinary } from '@bufbuild/protobuf';
import { type CommandResult, CommandResultSchema } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { positionName } from '../../domain/local-limits.ts';
import type { Outcome } from '../adapter.ts';
import {
  type AccountChange,
  applyChange,
  ledgerKey,
  OWN,
  type PaperAccount,
  type PaperPosition,
  symbolKey,
} from './account.ts';
import type { AccountStore } from './account-store.ts';
import type { PriceCosts } from './costs.ts';
import { carryOut } from './disconnect.ts';
import type { Effect, EffectContext } from './effect.ts';
import { isWorthTelling, performanceChange, standingOf } from './performance.ts';
import { type MarketPrice, triggeredBy } from './protection.ts';
import { equityReport, type Moment, positionClosed } from './venue-facts.ts';
import type { VenueEventInit } from './venue-event-store.ts';

export interface PaperRules {
  readonly costs: PriceCosts;
  readonly maxLeverage: string;
}

/** Who acts, and when. */
export interface Act {
  readonly tag: string;
  readonly commandId: string;
  readonly nowMs: number;
}

/** How long it may take until prices that changed nothing but themselves are on disk: so much is looked at again after a crash. */
const PRICES_UNSAVED_MS_MAX = 1_000;

/**
 * The account with everything that changes it: commands, prices, the loss of the platform. Each change, what it caused and
 * the events that tell it are one transaction.
 */
export class PaperBook {
  readonly account: PaperAccount;
  readonly #store: AccountStore;
  readonly #rules: PaperRules;
  /** Changes in memory that are not on disk yet: prices and marks, of which the newest of a key counts. */
  readonly #unsaved = new Map<string, AccountChange>();
  #savedMs = Number.NEGATIVE_INFINITY;

  constructor(store: AccountStore, rules: PaperRules) {
    this.#store = store;
    this.#rules = rules;
    this.account = store.load();
  }

  /** Has a command take its effect; `later` are prices after its decision that have come in before it. */
  async perform(act: Act, effect: (context: EffectContext) => Effect, later: readonly MarketPrice[]): Promise<Outcome> {
    const context = this.#context(act);
    const done = effect(context);
    if ('refusal' in done) return done.refusal;
    const result: CommandResult = create(CommandResultSchema, done.result);
    const changes = [...done.changes];
    const events: VenueEventInit[] = [];
    this.#apply(changes);
    const opened = openedBy(changes);
    for (const price of later) this.#trigger(price, act.nowMs, changes, events, opened);
    this.#report(touchedSessions(changes), { nowMs: act.nowMs }, changes, events);
    await this.#store.commit(act.tag, toBinary(CommandResultSchema, result), this.#whole(changes), events);
    return { status: 'succeeded', result };
  }

  /** Looks at prices in their order; resolves with whether events were written, when what they caused is on disk. */
  async takePrices(prices: readonly MarketPrice[], nowMs: number): Promise<boolean> {
    const changes: AccountChange[] = [];
    const events: VenueEventInit[] = [];
    for (const price of prices) this.#look(price, nowMs, changes, events);
    const isDue = nowMs - this.#savedMs >= PRICES_UNSAVED_MS_MAX || nowMs < this.#savedMs;
    if (changes.length === 0 && events.length === 0 && !isDue) return false;
    this.#savedMs = nowMs;
    await this.#store.record(this.#whole(changes), events);
    return events.length > 0;
  }

  /** Carries out what a session wants while the platform is lost; nothing when that has happened or the session is gone. */
  async disconnect(sessionId: string, lostForMs: number, act: Act): Promise<void> {
    const session = this.account.session.get(sessionId);
    if (session === undefined || session.disconnectApplied === true) return;
    const { changes, events } = carryOut(this.#context(act), session, lostForMs);
    this.#apply(changes);
    this.#report(touchedSessions(changes), { nowMs: act.nowMs }, changes, events);
    await this.#store.record(this.#whole(changes), events);
  }

  /** The platform is back: the next loss is another one. */
  async reconnected(): Promise<void> {
    const changes = [...this.account.session.values()]
      .filter((session) => session.disconnectApplied === true)
      .map(
        (session): AccountChange => ({
          collection: 'session',
          key: session.sessionId,
          value: { ...session, disconnectApplied: false },
        }),
      );
    if (changes.length === 0) return;
    this.#apply(changes);
    await this.#store.record(changes);
  }

  /** Symbols whose prices matter: those of open sessions and of open positions. */
  symbols(): ReadonlySet<string> {
    const { session, position } = this.account;
    return new Set(
      [
        ...[...session.values()].flatMap((open) => [...open.symbols, ...open.instances.map(({ symbol }) => symbol)]),
        ...[...position.values()].map(({ symbol }) => symbol),
      ].map(symbolKey),
    );
  }

  #look(price: MarketPrice, nowMs: number, changes: AccountChange[], events: VenueEventInit[]): void {
    const { account } = this;
    const before = account.quote.get(price.symbol);
    // Seen already: a stream that was remade repeats what may have been missed.
    if (before !== undefined && price.sequence <= BigInt(before.sequence)) return;
    const own = [...account.position.values()].filter((position) => symbolKey(position.symbol) === price.symbol);
    if (before !== undefined && before.source !== price.source) {
      // Another series has begun: whatever its times are, every price of it comes after the entries.
      const free = own.filter((position) => position.entryTimeMs !== undefined).map(withoutEntryTime);
      this.#apply(free);
      changes.push(...free);
    }
    const { symbol, timeMs, sequence, source, last } = price;
    this.#keep({ collection: 'quote', key: symbol, value: { timeMs, sequence: String(sequence), source } });
    this.#trigger(price, nowMs, changes, events);
    this.#keep({ collection: 'price', key: symbol, value: last.toString() });
    for (const sessionId of new Set(own.map((position) => position.sessionId))) {
      this.#mark(sessionId, { nowMs, marketMs: timeMs }, changes, events);
    }
  }

  /** Closes what the price reaches, among all positions or among those given. */
  #trigger(
    price: MarketPrice,
    nowMs: number,
    changes: AccountChange[],
    events: VenueEventInit[],
    names?: ReadonlySet<string>,
  ): void {
    const { account } = this;
    const all = [...account.position.values()];
    const among = names === undefined ? all : all.filter((position) => names.has(positionName(position)));
    const { triggered, changes: closing } = triggeredBy({ account, costs: this.#rules.costs }, price, among);
    if (triggered.length === 0) return;
    this.#apply(closing);
    changes.push(...closing);
    const at: Moment = { nowMs, marketMs: price.timeMs };
    events.push(...triggered.map(({ position, reason, fill }) => positionClosed(position, reason, fill, at)));
    if (names === undefined) this.#report(touchedSessions(closing), at, changes, events);
  }

  /** Marks a session's money to the last prices, and tells when its drawdown has reached another full percent. */
  #mark(sessionId: string, at: Moment, changes: AccountChange[], events: VenueEventInit[]): void {
    const ledger = ledgerKey(this.account, sessionId);
    const standing = standingOf(this.account, ledger);
    const told = sessionId !== OWN && isWorthTelling(this.account, ledger, standing);
    const change = performanceChange(this.account, ledger, standing, told);
    if (change === undefined) return;
    if (told) {
      events.push(equityReport(sessionId, standing, at));
      this.#apply([change]);
      changes.push(change);
    } else this.#keep(change);
  }

  /** Tells how sessions stand whose positions have changed; one whose money is gone with it has nothing to tell. */
  #report(sessionIds: Iterable<string>, at: Moment, changes: AccountChange[], events: VenueEventInit[]): void {
    for (const sessionId of sessionIds) {
      if (!this.account.session.has(sessionId)) continue;
      const ledger = ledgerKey(this.account, sessionId);
      const standing = standingOf(this.account, ledger);
      const change = performanceChange(this.account, ledger, standing, true);
      if (change !== undefined) {
        this.#apply([change]);
        changes.push(change);
      }
      events.push(equityReport(sessionId, standing, at));
    }
  }

  #context({ tag, commandId, nowMs }: Act): EffectContext {
    return { account: this.account, tag, commandId, nowMs, ...this.#rules };
  }

  #apply(changes: readonly AccountChange[]): void {
    for (const change of changes) applyChange(this.account, change);
  }

  #keep(change: AccountChange): void {
    applyChange(this.account, change);
    this.#unsaved.set(`${change.collection} ${change.key}`, change);
  }

  /** The changes behind everything that happened before them in memory. */
  #whole(changes: readonly AccountChange[]): AccountChange[] {
    const before = [...this.#unsaved.values()];
    this.#unsaved.clear();
    return [...before, ...changes];
  }
}

function withoutEntryTime(position: PaperPosition): AccountChange {
  const { entryTimeMs: _, ...rest } = position;
  return { collection: 'position', key: positionName(position), value: rest };
}

function openedBy(changes: readonly AccountChange[]): ReadonlySet<string> {
  return new Set(
    changes
      .filter((change) => change.collection === 'position' && change.value !== undefined)
      .map((change) => change.key),
  );
}

function touchedSessions(changes: readonly AccountChange[]): ReadonlySet<string> {
  return new Set(
    changes
      .filter((change) => change.collection === 'position')
      .map((change) => sessionOf(change.key))
      .filter((sessionId) => sessionId !== OWN),
  );
}

/** The session in a position's name. */
function sessionOf(name: string): string {
  const parts: unknown = JSON.parse(name);
  return Array.isArray(parts) ? String(parts[0]) : OWN;
}
