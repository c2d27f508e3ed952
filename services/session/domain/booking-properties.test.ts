import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Draft } from './draft.ts';
import type { Observed } from './observed.ts';
import type { OwnedFill } from './positions.ts';
import { executorHalted } from './stopped.ts';
import { haltSession, stopSession } from './stopping.ts';
import { decide, fill, later, NOW_MS, observe, running, SYMBOL } from './test-session.ts';
import { upkeep } from './upkeep.ts';
import { applyVenueNews } from './venue.ts';

const HELD = 20;
const ENTRY_PRICE = 100;
const ENTRY_FEE = '0.2';
const SESSION_ID = running().session.id;

/** Something that was told of the venue: what it changes in a session, and the fill that it tells of, if any. */
interface News {
  readonly apply: (draft: Draft) => void;
  readonly fill: OwnedFill | undefined;
  isTaken: boolean;
}

const ANSWER = {
  commandId: '',
  state: 'SUCCEEDED',
  reason: '',
  message: '',
  finishTimeMs: NOW_MS,
  closedBy: '',
} as const;
const NOTHING: Omit<Observed, 'requestId'> = { ...ANSWER, fills: [], positions: undefined };

/**
 * One session with one position, and the venue that has it. The venue carries out what is wanted of it in any order and closes
 * as much as it likes; what it says arrives in any order, any number of times; a transaction that fails leaves nothing behind.
 */
class World {
  draft = running();
  readonly news: News[] = [];
  readonly #answered = new Set<string>();
  #halts = 0;
  #left = HELD;
  #stopHit: OwnedFill | undefined;

  constructor() {
    decide(this.draft, 'ENTER', 'e1');
    observe(this.draft, 'e1', { fills: [fill(String(ENTRY_PRICE), String(HELD), ENTRY_FEE)] });
  }

  change(work: (draft: Draft) => void, ms: number, crashes = false): boolean {
    const draft = later(this.draft, ms);
    work(draft);
    if (!crashes) this.draft = draft;
    return draft.result() !== undefined;
  }

  press(): void {
    this.#halts++;
    this.change((draft) => haltSession(draft, SESSION_ID, true), 1);
  }

  /** What is wanted and has not been carried out; of the kill switch whichever was pressed. */
  wanted(): string[] {
    const halts = Array.from({ length: this.#halts }, (_, at) => `halt ${at}`);
    const own = this.draft.commands.filter(({ purpose }) => ['CLOSE', 'STOP_SESSION', 'STATUS'].includes(purpose));
    return [...own.map(({ requestId }) => requestId), ...halts].filter((each) => !this.#answered.has(each));
  }

  /** The venue carries one out and closes so much of what is left. */
  carryOut(requestId: string, share: number): void {
    this.#answered.add(requestId);
    const command = this.draft.command(requestId);
    const answer = { ...NOTHING, requestId, commandId: `command of ${requestId}` };
    if (command === undefined) {
      const fills = this.#deal(share);
      this.#tell((draft) => executorHalted(draft, { ...answer, fills }, true), fills[0]);
    } else if (command.purpose === 'STATUS') {
      const about = { sessionId: SESSION_ID, strategyId: 'id-pump', symbol: SYMBOL, entryPrice: String(ENTRY_PRICE) };
      const positions = this.#left > 0 ? [{ ...about, quantity: String(this.#left) }] : [];
      this.#tell((draft) => observe(draft, requestId, { ...answer, positions }));
    } else if (command.purpose === 'CLOSE' && this.#left === 0) {
      const why = { state: 'REJECTED', reason: 'TARGET_UNKNOWN' } as const;
      const hit = this.#stopHit;
      const end = hit === undefined ? why : ({ closedBy: 'stop_loss', fills: [hit] } as const);
      this.#tell((draft) => observe(draft, requestId, { ...answer, ...end }), hit);
    } else {
      const { wish } = command;
      const fills = wish.type === 'STOP_SESSION' && !wish.closePositions ? [] : this.#deal(share);
      this.#tell((draft) => observe(draft, requestId, { ...answer, fills }), fills[0]);
    }
  }

  /** The position's own stop closes what is left. */
  hitStop(): void {
    const [hit] = this.#deal(1);
    if (hit === undefined) return;
    this.#stopHit = hit;
    const about = { sessionId: SESSION_ID, strategyId: 'id-pump', symbol: SYMBOL, openCommandId: 'command of e1' };
    const news = { ...about, type: 'POSITION_CLOSED', reason: 'stop_loss', fill: hit } as const;
    this.#tell((draft) => applyVenueNews(draft, news), hit);
  }

  /** A session takes it, or the transaction fails. What has been taken changes nothing any more. */
  deliver(news: News, crashes: boolean): void {
    const changed = this.change(news.apply, 1, crashes);
    if (news.isTaken) expect(changed).toBe(false);
    news.isTaken ||= !crashes;
  }

  check(): void {
    const { state, quantity, closedQuantity, unpricedQuantity, pnl } = this.draft.position('e1') ?? {};
    const booked =
      state === 'CLOSED'
        ? new Decimal(quantity ?? 0).minus(unpricedQuantity === '' ? 0 : (unpricedQuantity ?? 0))
        : new Decimal(closedQuantity === '' ? 0 : (closedQuantity ?? 0));
    const held =
      state === 'CLOSED'
        ? booked.plus(unpricedQuantity === '' ? 0 : (unpricedQuantity ?? 0))
        : booked.plus(quantity ?? 0);
    const fills = [
      ...new Set(this.news.flatMap((each) => (each.isTaken && each.fill !== undefined ? [each.fill] : []))),
    ];
    expect(held.toNumber()).toBe(HELD);
    expect(booked.toNumber()).toBe(fills.reduce((sum, each) => sum + Number(each.quantity), 0));
    const profits = fills.map((each) =>
      new Decimal(each.price).minus(ENTRY_PRICE).times(each.quantity).minus(each.fee),
    );
    const profit = fills.length === 0 ? new Decimal(0) : Decimal.sum(...profits).minus(ENTRY_FEE);
    expect(pnl === '' ? 0 : Number(pnl)).toBe(profit.toNumber());
    expect(Number(this.draft.session.realisedPnl)).toBe(profit.toNumber());
    expect(Number(this.draft.session.equity)).toBe(profit.plus(10_000).toNumber());
  }

  #deal(share: number): OwnedFill[] {
    const quantity = share === 1 ? this.#left : Math.floor(this.#left * share);
    if (quantity === 0) return [];
    this.#left -= quantity;
    // No two fills have the same price.
    const dealt = fill(String(ENTRY_PRICE + this.news.length - 3), String(quantity), '0.01');
    return [{ ...dealt, sessionId: SESSION_ID, strategyId: 'id-pump' }];
  }

  #tell(apply: News['apply'], told?: OwnedFill): void {
    this.news.push({ apply, fill: told, isTaken: false });
  }
}

const number = fc.nat(99);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('EXIT' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('PRESS' as const, 'STOP' as const, 'KEEP' as const, 'HIT' as const) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('CARRY_OUT' as const), number, share: fc.constantFrom(0, 0.3, 0.5, 1) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('LOSE' as const), number }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('DELIVER' as const), number, crashes: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('WAIT' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const pick = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length];

function take(world: World, each: Step, at: number): void {
  switch (each.type) {
    case 'EXIT':
      world.change((draft) => decide(draft, 'EXIT', `x${at}`), 1);
      return;
    case 'PRESS':
      world.press();
      return;
    case 'STOP':
    case 'KEEP':
      world.change((draft) => stopSession(draft, each.type === 'STOP', 'stopped'), 1);
      return;
    case 'HIT':
      world.hitStop();
      return;
    case 'CARRY_OUT': {
      const requestId = pick(world.wanted(), each.number);
      if (requestId !== undefined) world.carryOut(requestId, each.share);
      return;
    }
    case 'LOSE': {
      const open = world.draft.commands.filter(({ state }) => state === 'WANTED');
      const lost = pick(open, each.number)?.requestId;
      if (lost !== undefined) world.change((draft) => observe(draft, lost, { state: 'OUTCOME_UNKNOWN' }), 1);
      return;
    }
    case 'DELIVER': {
      const news = pick(world.news, each.number);
      if (news !== undefined) world.deliver(news, each.crashes);
      return;
    }
    case 'WAIT':
      world.change((draft) => upkeep(draft, { askUnknownAfterMs: 30_000 }), 30_000);
      return;
    default:
      each satisfies never;
  }
}

test('what a venue has closed is booked once, in whichever order it is told, how often, and whatever fails in between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      for (const [at, each] of steps.entries()) {
        take(world, each, at);
        world.check();
      }
      for (const news of world.news) {
        world.deliver(news, false);
        world.check();
      }
    }),
    { numRuns: 2_500 },
  );
});
