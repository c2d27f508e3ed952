import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CommandResultSchema, ExecutorStatusSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { CommandDelivery } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Price, PriceFreshness } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { DisconnectPolicy } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { VenueEvent } from '../../../proto/gen/strategos/command/v1/venue_event_pb.js';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';

/** A kind with its parameters: `case` names it, `value` holds the message of `kind.proto`. */
export type CommandBody = Exclude<CommandDelivery['kind'], { case: undefined }>;

/** Name of a kind as adapters write it, such as `openPosition`. */
export type CommandCase = CommandBody['case'];

/** One command as an adapter sees it. */
export interface AdapterCommand {
  readonly id: string;
  /** From 1; higher when an earlier attempt failed and the failure said that it may pass. */
  readonly attempt: number;
  readonly body: CommandBody;
}

/** What an execution comes with. */
export interface ExecutionContext {
  /**
   * Aborted when the command is cancelled or its time is over. Stop if you still can: throw `signal.reason` when nothing
   * took effect, otherwise carry on and return what happened. Nothing is lost by returning late: a late outcome replaces
   * the OUTCOME_UNKNOWN that was reported meanwhile.
   */
  readonly signal: AbortSignal;
  /**
   * 28 letters and digits made from the command's id, the same at every attempt and after every restart. Put it on every
   * order that the venue lets you label: it is how `recover` finds out what happened.
   */
  readonly tag: string;
  /** Longest silence that the platform takes while this runs; undefined when it asks for no progress. */
  readonly progressWithinMs: number | undefined;
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** Tells the platform how it is going. Cheap: reports that come too fast are folded together. */
  progress(message: string, percent?: number): void;
}

/**
 * Result fields of `CommandResult`: a summary in one sentence, fills, status, payload. A fill of a stop says by its session and
 * strategy whose position it closed. A close or stop that was filled in part succeeds with the fills of that part: the rest is
 * asked for again.
 */
export type ResultInit = MessageInitShape<typeof CommandResultSchema>;

/** Status as `GetStatus` answers it, and as local limits and preconditions read it. */
export type StatusInit = MessageInitShape<typeof ExecutorStatusSchema>;

/** Reasons that an adapter may give; the values of ErrorReason that speak of venues. */
export type OutcomeReason =
  | 'VENUE_REJECTED'
  | 'VENUE_UNAVAILABLE'
  | 'TARGET_UNKNOWN'
  | 'INVALID_FIELD'
  | 'PRECONDITION_FAILED';

interface Problem {
  /** One sentence: what was wrong, where, and what to do next. */
  readonly message: string;
  readonly reason?: OutcomeReason;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * How an execution ended.
 * - `succeeded`: done.
 * - `rejected`: refused, and nothing took effect. Reason VENUE_REJECTED unless given.
 * - `failed`: tried and failed. `retryable` promises that nothing took effect and that it may work later: the platform
 *   then sends it again as the next attempt. Reason VENUE_UNAVAILABLE when retryable, else VENUE_REJECTED, unless given.
 * - `unknown`: it may have taken effect and the venue cannot be asked now. Never a substitute for asking.
 */
export type Outcome =
  | { readonly status: 'succeeded'; readonly result?: ResultInit }
  | ({ readonly status: 'rejected' } & Problem)
  | ({ readonly status: 'failed'; readonly retryable: boolean; readonly result?: ResultInit } & Problem)
  | { readonly status: 'unknown'; readonly message: string };

/**
 * What became of a command that was started before the agent stopped.
 * - an outcome: it ended so.
 * - `not_executed`: nothing took effect, for certain; it is executed now if its time allows, else it expires.
 * - `unknown`: the venue cannot tell; the command ends OUTCOME_UNKNOWN.
 */
export type Recovery = Outcome | 'not_executed' | 'unknown';

/**
 * A venue. The agent owns the link, the journal, order, deadlines, limits and repetitions; an adapter acts and says what
 * happened. Only `kinds`, `execute`, `recover` and `status` are needed:
 *
 * ```ts
 * const adapter: Adapter = {
 *   name: 'my-venue',
 *   kinds: ['openPosition', 'closePosition', 'getStatus', 'ping'],
 *   async execute({ body }, { tag, signal }) {
 *     switch (body.case) {
 *       case 'ping': return { status: 'succeeded', result: { payload: body.value.payload } };
 *       case 'getStatus': return { status: 'succeeded', result: { status: await this.status() } };
 *       case 'openPosition': {
 *         const order = await venue.market(body.value.symbol, body.value.side, body.value.quantity, { label: tag, signal });
 *         return { status: 'succeeded', result: { summary: 'opened', fills: [fillOf(order)] } };
 *       }
 *       ...
 *     }
 *   },
 *   async recover({ body }, { tag }) {
 *     const order = await venue.findByLabel(tag);
 *     return order === undefined ? 'not_executed' : { status: 'succeeded', result: { fills: [fillOf(order)] } };
 *   },
 *   status: async () => statusOf(await venue.positions()),
 * };
 * ```
 *
 * The agent never calls `execute` twice for one attempt, never again after an effect that was reported, and never
 * concurrently for commands whose ordering keys are related; unrelated ones do run at the same time. Before `execute` is
 * called the start is on disk, and what it returns is on disk before the platform hears it: a process that dies in between
 * comes back with `recover`.
 */
export interface Adapter {
  /** For logs. */
  readonly name: string;
  /** What it executes; commands of other kinds never reach it. */
  readonly kinds: readonly CommandCase[];
  /** Called once before anything else. A rejection keeps the agent from starting. */
  open?(context: AdapterContext): Promise<void> | void;
  /** Called once when no execution is awaited any more. Executions that overran the stop may still be under way. */
  close?(): Promise<void> | void;
  /** Acts. What it throws, other than `signal.reason`, is reported as FAILED with ADAPTER_FAILED and not repeated. */
  execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> | Outcome;
  /** Finds out what became of a started command. Called again, a few times, when it throws. */
  recover(command: AdapterCommand, context: Pick<ExecutionContext, 'tag' | 'signal'>): Promise<Recovery> | Recovery;
  /** Sessions, positions, equity. Asked for before starts that have to be checked against it. */
  status(): Promise<StatusInit> | StatusInit;
  /**
   * The price at which the venue would deal now, decimal; undefined where it has none. `referencePrice` is the command's
   * own, empty if it has none: a venue without prices of its own may answer with it.
   */
  priceOf?(symbol: string, referencePrice: string): Promise<string | undefined> | string | undefined;
  /**
   * Symbols of which it wants the platform's prices, with the last sequence that it has handled; asked for at the start of
   * every link and after `interestChanged`. An adapter without this gets no prices.
   */
  priceInterest?(): readonly PriceWish[];
  /** Takes prices, in order, one batch at a time. What it rejects with ends the agent. */
  takePrices?(batch: PriceNews): Promise<void> | void;
  /** What happened at the venue without a command; read after `open`, and again after `eventsWritten`. */
  readonly venueEvents?: VenueEventJournal;
  /** What each open session wants done when the platform is lost. An adapter without this holds. */
  disconnectPolicies?(): readonly SessionPolicy[];
  /** Carries a session's policy out, once until `platformReturned`; resolves when that is on disk. */
  applyDisconnectPolicy?(sessionId: string, lostForMs: number): Promise<void>;
  platformReturned?(): Promise<void>;
}

/** From where an adapter wants a symbol's prices. */
export interface PriceWish {
  readonly symbol: string;
  /** Absent: only new ones. */
  readonly afterSequence?: bigint;
}

export interface PriceNews {
  readonly prices: readonly Price[];
  readonly freshness: readonly PriceFreshness[];
  /** Symbols of which prices are lost: what happened in between is not known. */
  readonly missedSymbols: readonly string[];
}

/** Venue events on disk, numbered from 1 without gaps, until the platform has them. */
export interface VenueEventJournal {
  readonly journalId: string;
  /** The next events after a number, oldest first. */
  read(afterNumber: bigint, eventsMax: number): VenueEvent[];
  /** The platform has made these durable. */
  acknowledge(numbers: readonly bigint[]): Promise<void>;
}

/** A session's wish for the time without the platform. */
export interface SessionPolicy {
  readonly sessionId: string;
  readonly policy: DisconnectPolicy;
  /** Time without the platform before it is carried out; absent: as long as the policy says by itself. */
  readonly afterMs?: number | undefined;
  /** It has been carried out since the platform was lost. */
  readonly applied: boolean;
}

/** What an adapter tells the agent by itself. */
export interface AdapterNotices {
  readonly interestChanged: () => void;
  readonly eventsWritten: () => void;
}

/** What an adapter gets when it is opened. */
export interface AdapterContext {
  readonly logger: Logger;
  /** Folder beside the journal where the adapter may keep files of its own; undefined when the agent has none on disk. */
  readonly directory: string | undefined;
  /** Absent where nobody listens, as in tests of an adapter alone. */
  readonly notices?: AdapterNotices;
  readonly clock?: Clock;
}
