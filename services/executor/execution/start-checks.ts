import {
  Preconditions_SessionState,
  type Preconditions as WirePreconditions,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { Adapter, CommandBody, StatusInit } from '../adapters/adapter.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { CommandFacts, PositionKey, VenueFacts } from '../domain/command-facts.ts';
import { checkLimits, type LocalLimits, positionName } from '../domain/local-limits.ts';
import { checkPreconditions, type Preconditions, type SessionStanding } from '../domain/preconditions.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { LiveCommand } from './live-command.ts';
import { withinTime } from './within-time.ts';

/** Longest time that the venue may take to say how things stand. */
const ASK_MS_MAX = 10_000;

/**
 * Checks a command right before its start against the agent's own limits and the command's preconditions. The venue is asked
 * only for what the checks need, so that most commands start without waiting for it.
 */
export class StartChecks {
  readonly #adapter: Adapter;
  readonly #limits: LocalLimits;
  /** Positions that checked commands are about to open; the venue does not know them yet. */
  readonly #opening = new Map<string, PositionKey>();
  /** Checks that count positions go one at a time: two of them must not both find room for the last one. */
  #turn: Promise<void> = Promise.resolve();

  readonly #clock: AgentClock;

  constructor(adapter: Adapter, limits: LocalLimits, clock: AgentClock) {
    this.#adapter = adapter;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Why the command may not start; undefined when it may. At once where the venue need not be asked. */
  check(command: LiveCommand): Refusal | undefined | Promise<Refusal | undefined> {
    const facts = commandFacts(command);
    const wanted = preconditionsOf(command.delivery.preconditions);
    const opens = command.kind === 'open_position';
    const countsPositions = opens && this.#limits.maxOpenPositions !== undefined;
    const needsStatus = countsPositions || wanted.sessionState !== undefined || wanted.strategyRevision !== undefined;
    const needsPrice = (opens && this.#limits.maxNotional !== undefined) || wanted.priceBand !== undefined;
    if (!needsStatus && !needsPrice) return checkLimits(this.#limits, facts, { venuePrice: undefined, positions: [] });
    const needs = { needsStatus, needsPrice, countsPositions };
    const ask = () => withinTime(this.#clock, ASK_MS_MAX, () => this.#askVenue(command.id, facts, wanted, needs));
    if (!countsPositions) return ask();
    const asked = this.#turn.then(ask);
    this.#turn = asked.then(nothing, nothing);
    return asked;
  }

  /** The command is over: the venue now knows the position, if there is one. */
  forget(commandId: string): void {
    this.#opening.delete(commandId);
  }

  async #askVenue(
    commandId: string,
    facts: CommandFacts,
    wanted: Preconditions,
    needs: { readonly needsStatus: boolean; readonly needsPrice: boolean; readonly countsPositions: boolean },
  ): Promise<Refusal | undefined> {
    const opening = [...this.#opening.values()];
    const venue = needs.needsStatus ? venueFacts(await this.#adapter.status()) : NO_VENUE;
    const venuePrice = needs.needsPrice ? await this.#adapter.priceOf?.(facts.symbol, facts.referencePrice) : undefined;
    const price = venuePrice ?? (facts.referencePrice === '' ? undefined : facts.referencePrice);
    const positions = [...venue.positions, ...opening];
    const refusal =
      checkLimits(this.#limits, facts, { venuePrice, positions }) ?? checkPreconditions(wanted, facts, venue, price);
    if (refusal === undefined && needs.countsPositions && !isOpen(venue, facts)) this.#opening.set(commandId, facts);
    return refusal;
  }
}

const NO_VENUE: VenueFacts = { paused: false, sessions: [], positions: [] };

function nothing(): void {}

function isOpen(venue: VenueFacts, facts: CommandFacts): boolean {
  return venue.positions.some((position) => positionName(position) === positionName(facts));
}

/** What a command says, as limits and preconditions look at it. */
export function commandFacts({ kind, delivery }: LiveCommand): CommandFacts {
  return factsOf(kind, delivery.kind.case === undefined ? undefined : delivery.kind);
}

/** The fields that limits and preconditions look at, wherever a kind has them. */
export function factsOf(kind: string, body: CommandBody | undefined): CommandFacts {
  const fields: object = body?.value ?? {};
  const text = (name: keyof CommandFacts): string => {
    const value: unknown = Reflect.get(fields, name);
    return typeof value === 'string' ? value : '';
  };
  return {
    kind,
    sessionId: text('sessionId'),
    strategyId: text('strategyId'),
    symbol: text('symbol'),
    symbols: body?.case === 'startSession' ? body.value.symbols : [],
    quantity: text('quantity'),
    referencePrice: text('referencePrice'),
  };
}

const STANDINGS = new Map<Preconditions_SessionState, SessionStanding>([
  [Preconditions_SessionState.ABSENT, 'absent'],
  [Preconditions_SessionState.ACTIVE, 'active'],
  [Preconditions_SessionState.PAUSED, 'paused'],
]);

function preconditionsOf(wire: WirePreconditions | undefined): Preconditions {
  if (wire === undefined) return {};
  return {
    sessionState: STANDINGS.get(wire.sessionState),
    strategyRevision: wire.strategyRevision === 0n ? undefined : wire.strategyRevision,
    priceBand: wire.priceBand,
  };
}

function venueFacts(status: StatusInit): VenueFacts {
  return {
    paused: status.paused ?? false,
    sessions: (status.sessions ?? []).map((session) => ({
      sessionId: session.sessionId ?? '',
      paused: session.paused ?? false,
      instances: (session.instances ?? []).map((instance) => ({
        strategyId: instance.strategyId ?? '',
        symbol: instance.symbol ?? '',
        strategyRevision: instance.strategyRevision ?? 0n,
      })),
    })),
    positions: (status.positions ?? []).map((position) => ({
      sessionId: position.sessionId ?? '',
      strategyId: position.strategyId ?? '',
      symbol: position.symbol ?? '',
    })),
  };
}
