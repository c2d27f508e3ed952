import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ConnectRequest,
  type ConnectResponse,
  ConnectResponseSchema,
  type EventBatch,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AsyncQueue } from '../../platform/async-queue.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf, type StatusError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { SharedTurn, TurnTaker } from '../../platform/shared-turn.ts';
import type { Command } from '../domain/command.ts';
import type { UnreadableCommand } from '../domain/repository.ts';
import { CommandFlow } from './command-flow.ts';
import type { FlowDependencies, FlowOutput } from './flow-link.ts';
import { checkStored, DeliveryFrame, deliveryBytes } from './delivery-frame.ts';
import { factOf } from './frames.ts';
import { Heartbeat, READ_TIMEOUT_MS } from './heartbeat.ts';
import { errorOf, FRAMES_QUEUED_MAX, type SessionEnd } from './session-end.ts';
import { VenueChannel, type VenueDependencies } from './venue-channel.ts';

const COMMANDS_PER_FRAME_MAX = 100;
const INQUIRIES_PER_FRAME_MAX = 1_000;
/** So many acknowledgements do not wait for more. */
const ACKNOWLEDGED_PER_FRAME_MAX = 500;

export interface SessionIdentity {
  readonly accountId: string;
  readonly executorId: string;
  readonly executorName: string;
  readonly keyId: string;
  readonly credentialEndMs: number | null;
  readonly epoch: number;
  readonly journalId: string;
  readonly host: string;
  readonly agentVersion: string;
  readonly contractDigest: string;
  readonly link: 'STREAM' | 'POLL';
  readonly kinds: ReadonlySet<string>;
  readonly inFlightMax: number;
  /** The agent's Hello said that it may ask for prices. */
  readonly takesPrices: boolean;
  /** When its Hello had been read. */
  readonly helloMs: number;
}

export interface SessionDependencies extends Omit<FlowDependencies, 'output'> {
  readonly setAside: (unreadable: readonly UnreadableCommand[]) => void;
  /** Called once when the session has ended. */
  readonly ended: (session: ExecutorSession, end: SessionEnd) => void;
  /** Asks for the executor's row to be read again. */
  readonly review: (executorId: string) => void;
  readonly noteInFlightMax: (session: ExecutorSession) => void;
  readonly venue: VenueDependencies;
  /** In which what nobody waits for is said to all agents. */
  readonly unhurried: SharedTurn;
}

/** One accepted link to an agent, by stream or by polling: heartbeats, frames out and in, and one named end. */
export class ExecutorSession implements FlowOutput, TurnTaker {
  readonly identity: SessionIdentity;
  readonly flow: CommandFlow;
  readonly venue: VenueChannel;
  readonly output: AsyncQueue<ConnectResponse>;
  credentialEndMs: number | null;
  inFlightMax: number;
  /** Every command that was open when the stream was accepted is known here. */
  ready = false;
  /** The status that the agent gets behind the last frame; undefined for an orderly end. */
  endError: StatusError | undefined;
  readonly #deps: SessionDependencies;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #ended = false;
  readonly #heartbeat: Heartbeat;
  #deliveries: Uint8Array[] = [];
  /** When the first of the deliveries that gather was made: the spans in all of them held then, or later. */
  #deliveriesMs = 0;
  #acknowledged: string[] = [];
  #cancels: string[] = [];
  #flushing = false;
  /** Results that a ReportEvents call waits for. */
  readonly #awaited = new Map<string, () => void>();
  #poll: AbortController | undefined;

  constructor(identity: SessionIdentity, deps: SessionDependencies) {
    this.identity = identity;
    this.credentialEndMs = identity.credentialEndMs;
    this.inFlightMax = identity.inFlightMax;
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#heartbeat = new Heartbeat(deps.clock.steadyMs(), identity.executorId);
    this.output = new AsyncQueue({ itemsMax: FRAMES_QUEUED_MAX });
    this.flow = new CommandFlow(identity, identity.inFlightMax, { ...deps, output: this });
    this.venue = new VenueChannel(deps.venue, {
      ...identity,
      clock: deps.clock,
      logger: deps.logger,
      isOpen: () => this.isOpen,
      send: (frame) => this.send(frame),
      violate: (expected, detail) => this.end({ type: 'protocol', expected, detail }),
    });
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  get roundTripMs(): number | null {
    return this.#heartbeat.roundTripMs;
  }

  /** Anything the agent says proves the link. */
  heard(): void {
    this.#heartbeat.heard(this.#clock.steadyMs());
  }

  /** Takes one frame of the agent. */
  take(frame: ConnectRequest): void {
    const { frame: content } = frame;
    if (content.case !== 'heartbeatReply') this.heard();
    switch (content.case) {
      case 'events':
        this.takeEvents(content.value);
        return;
      case 'inFlightLimit':
        this.takeInFlightMax(content.value.inFlightMax);
        return;
      case 'heartbeat':
        this.send({
          case: 'heartbeatReply',
          value: { number: content.value.number, time: timestampFromMs(this.#clock.nowMs()) },
        });
        return;
      case 'heartbeatReply':
        this.#heartbeat.answered(content.value.number, this.#clock.steadyMs());
        return;
      case 'priceInterest':
        this.venue.takeInterest(content.value, this.identity.takesPrices);
        return;
      case 'venueEvents':
        this.venue.acknowledgeEvents(content.value);
        return;
      case 'goodbye':
        this.end({ type: 'left', reason: `agent left: ${content.value.reason || 'no reason given'}` });
        return;
      case 'hello':
        this.end({ type: 'protocol', expected: 'events', detail: 'a second hello came on the same stream' });
        return;
      case undefined:
        this.end({ type: 'protocol', expected: 'a known frame', detail: 'a frame without a known case came' });
    }
  }

  takeEvents(batch: EventBatch): void {
    const nowMs = this.#clock.nowMs();
    const facts = [];
    // Receipt, start and end of a command mostly come together.
    let lastId = '';
    for (const event of batch.events) {
      const fact = factOf(event, nowMs);
      if (fact === undefined || (fact.commandId !== lastId && !UUID.test(fact.commandId))) {
        this.#logger.warn(
          { commandId: event.commandId.slice(0, 64) },
          'event without a known case or command id ignored',
        );
        continue;
      }
      lastId = fact.commandId;
      facts.push(fact);
    }
    this.flow.report(facts);
  }

  /** For polling: takes events and gives the ids among them whose result became durable before `signal` aborts. */
  async takeAndAcknowledge(batch: EventBatch, signal: AbortSignal): Promise<string[]> {
    const awaited = new Set(
      batch.events
        .filter(({ commandId, event }) => event.case === 'finished' && UUID.test(commandId))
        .map(({ commandId }) => commandId),
    );
    const acknowledged: string[] = [];
    const done = new Promise<void>((resolve) => {
      if (awaited.size === 0) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      for (const id of awaited) {
        this.#awaited.set(id, () => {
          acknowledged.push(id);
          if (acknowledged.length === awaited.size) resolve();
        });
      }
    });
    this.takeEvents(batch);
    await done;
    for (const id of awaited) this.#awaited.delete(id);
    return acknowledged;
  }

  /** For polling: frames as soon as there are any, none when `signal` aborts. A newer poll ends the wait of an older one. */
  async poll(framesMax: number, signal: AbortSignal): Promise<ConnectResponse[]> {
    this.heard();
    this.#poll?.abort();
    const poll = new AbortController();
    this.#poll = poll;
    await this.output.readable(AbortSignal.any([signal, poll.signal]));
    this.heard();
    return poll.signal.aborted ? [] : this.output.drain(framesMax);
  }

  takeInFlightMax(inFlightMax: number): void {
    if (inFlightMax < 0 || inFlightMax > 10_000) {
      this.end({
        type: 'protocol',
        expected: 'in_flight_max from 0 to 10000',
        detail: `in_flight_max ${inFlightMax} came`,
      });
      return;
    }
    this.inFlightMax = inFlightMax;
    this.#deps.noteInFlightMax(this);
    this.flow.setInFlightMax(inFlightMax);
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    if (this.#ended) return;
    const steadyMs = this.#clock.steadyMs();
    const silenceMs = this.#heartbeat.silenceMs(steadyMs);
    if (silenceMs >= READ_TIMEOUT_MS) {
      this.end({ type: 'silent', silenceMs });
      return;
    }
    if (this.credentialEndMs !== null && nowMs >= this.credentialEndMs) {
      this.end({ type: 'credential_ended', keyId: this.identity.keyId });
      return;
    }
    const number = this.identity.link === 'STREAM' ? this.#heartbeat.due(steadyMs) : undefined;
    if (number !== undefined) this.send({ case: 'heartbeat', value: { number } });
    this.flow.tick(nowMs);
  }

  /** Asks the agent to move to another replica; nothing new is sent, what it reports is still taken. */
  drain(reconnectWithinMs: number): void {
    this.flow.hold();
    this.send({
      case: 'drain',
      value: { reason: 'this replica is stopping', reconnectWithin: durationFromMs(reconnectWithinMs) },
    });
  }

  /** Ends the link once; later calls change nothing. */
  end(end: SessionEnd): void {
    if (this.#ended) return;
    this.#flushAcknowledged();
    if (!this.isOpen) return;
    if (end.type === 'superseded') {
      this.send({
        case: 'superseded',
        value: { streamEpoch: BigInt(end.epoch), journalId: end.journalId, host: end.host },
      });
    }
    this.#ended = true;
    this.flow.close();
    this.venue.close();
    this.endError = errorOf(end, this.identity.executorName);
    // What is buffered still goes out before the status, except to a peer that does not read.
    if (end.type === 'slow_consumer') this.output.fail(this.endError);
    else this.output.end();
    this.#deps.ended(this, end);
  }

  deliver(command: Command, isChecked = false): void {
    try {
      if (!isChecked) checkStored(command);
      const nowMs = this.#clock.nowMs();
      const delivery = deliveryBytes(command, nowMs);
      if (this.#deliveries.length === 0) this.#deliveriesMs = nowMs;
      this.#deliveries.push(delivery);
    } catch (thrown) {
      const { id, executorId, accountId, version, sequence } = command;
      this.#deps.setAside([{ id, executorId, accountId, version, sequence, defect: messageOf(thrown) }]);
      return;
    }
    this.#flushSoon();
  }

  acknowledge(commandId: string): void {
    const awaited = this.#awaited.get(commandId);
    if (awaited !== undefined) {
      awaited();
      return;
    }
    this.#acknowledged.push(commandId);
    // Nobody waits for an acknowledgement: until it comes the agent only keeps a row longer.
    if (this.#acknowledged.length >= ACKNOWLEDGED_PER_FRAME_MAX) this.#flushAcknowledged();
    else if (this.#acknowledged.length === 1) this.#deps.unhurried.join(this);
  }

  /** Says what nobody waits for. */
  takeTurn(): void {
    this.#flushAcknowledged();
  }

  cancel(commandId: string): void {
    this.#cancels.push(commandId);
    this.#flushSoon();
  }

  inquire(commandIds: readonly string[]): void {
    for (let at = 0; at < commandIds.length; at += INQUIRIES_PER_FRAME_MAX) {
      this.send({ case: 'inquiry', value: { commandIds: commandIds.slice(at, at + INQUIRIES_PER_FRAME_MAX) } });
    }
  }

  fenced(): void {
    this.#deps.review(this.identity.executorId);
  }

  send(frame: FrameInit): void {
    this.#push(create(ConnectResponseSchema, { frame }));
  }

  #push(frame: ConnectResponse): void {
    if (this.#ended) return;
    this.#heartbeat.said();
    if (!this.output.push(frame)) this.end({ type: 'slow_consumer' });
  }

  /** What gathered within one turn of the event loop shares frames. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      while (this.#deliveries.length > 0 && !this.#ended) {
        this.#push(new DeliveryFrame(this.#deliveries.splice(0, COMMANDS_PER_FRAME_MAX), this.#deliveriesMs));
      }
      // Behind the commands: an agent ignores the cancellation of a command that it does not have yet.
      if (this.#cancels.length > 0) this.send({ case: 'cancels', value: { commandIds: this.#cancels.splice(0) } });
    });
  }

  #flushAcknowledged(): void {
    if (this.#acknowledged.length === 0) return;
    this.send({ case: 'eventsAcknowledged', value: { commandIds: this.#acknowledged.splice(0) } });
  }
}

type FrameInit = NonNullable<NonNullable<Parameters<typeof create<typeof ConnectResponseSchema>>[1]>['frame']>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
