import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ExecutorEvent,
  ExecutorEventSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { AgentClock } from '../agent-clock.ts';

/** One fact that waits to be told. */
export interface OutgoingEvent {
  readonly commandId: string;
  readonly attempt: number;
  readonly atMonotonicMs: number;
  /** Approximate size, so that a frame stays below the port's limit. */
  readonly bytes: number;
  readonly event: ExecutorEvent['event'];
}

/** The one link that takes events now. */
export interface OutboxReader {
  hasEvents(): boolean;
  /** The next events, oldest first, as many as fit one frame; empty when there are none or another link took over. */
  take(): ExecutorEvent[];
  /** Gives the outbox back; events are dropped until the next link opens, which is told everything anew. */
  close(): void;
}

const FRAME_EVENTS_MAX = 500;
const FRAME_BYTES_MAX = 256 * 1_024;
/** Age below which an event counts as happening now. */
const AGE_TOLD_MS = 2;
/** Where the array's dead front is cut off. */
const DEAD_SLOTS_MAX = 4_096;

/**
 * Events on their way to the platform. While no link is open nothing is kept: the journal holds everything, and a new link
 * begins with all of it. It is bounded because the platform sends no more commands than the agent granted: when too many
 * events wait all the same, `grant` falls to the smallest there is until they are gone.
 */
export class Outbox {
  readonly #clock: AgentClock;
  readonly #inFlightMax: number;
  readonly #eventsMax: number;
  #queue: OutgoingEvent[] = [];
  #head = 0;
  /** Place of each command's waiting progress report. */
  readonly #progress = new Map<string, number>();
  #reader: OutboxReader | undefined;
  #wake: (() => void) | undefined;
  #holding = false;

  /** @param inFlightMax commands granted while events flow; a command causes three events, a fourth is progress. */
  constructor(clock: AgentClock, inFlightMax: number) {
    this.#clock = clock;
    this.#inFlightMax = inFlightMax;
    this.#eventsMax = 4 * inFlightMax;
  }

  /** Commands that the platform may have in flight to this agent now. */
  get grant(): number {
    return this.#holding ? 1 : this.#inFlightMax;
  }

  /** Gives the outbox, empty, to a link; the one before it takes nothing more. `wake` is called when there is something to take. */
  open(wake: () => void): OutboxReader {
    this.#clear();
    const reader: OutboxReader = {
      hasEvents: () => this.#reader === reader && this.#size > 0,
      take: () => (this.#reader === reader ? this.#take() : []),
      close: () => {
        if (this.#reader !== reader) return;
        this.#reader = undefined;
        this.#clear();
      },
    };
    this.#reader = reader;
    this.#wake = wake;
    return reader;
  }

  push(event: OutgoingEvent): void {
    if (this.#reader === undefined) return;
    if (event.event.case === 'progress' && this.#replaceProgress(event)) return;
    if (event.event.case === 'progress') this.#progress.set(event.commandId, this.#queue.length);
    this.#queue.push(event);
    if (this.#size > this.#eventsMax) this.#holding = true;
    this.#wake?.();
  }

  get #size(): number {
    return this.#queue.length - this.#head;
  }

  /** Only the latest progress of a command is worth telling. */
  #replaceProgress(event: OutgoingEvent): boolean {
    const at = this.#progress.get(event.commandId);
    if (at === undefined || at < this.#head) return false;
    this.#queue[at] = event;
    return true;
  }

  #take(): ExecutorEvent[] {
    const taken: ExecutorEvent[] = [];
    const now = this.#clock.reading().monotonicMs;
    let bytes = 0;
    for (; this.#head < this.#queue.length && taken.length < FRAME_EVENTS_MAX; this.#head++) {
      const next = this.#queue[this.#head];
      if (next === undefined || (bytes > 0 && bytes + next.bytes > FRAME_BYTES_MAX)) break;
      bytes += next.bytes;
      taken.push(toMessage(next, now));
    }
    if (this.#head === this.#queue.length) this.#clear();
    else if (this.#head >= DEAD_SLOTS_MAX) this.#compact();
    if (this.#size <= this.#eventsMax / 2) this.#holding = false;
    return taken;
  }

  #compact(): void {
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
    this.#progress.clear();
  }

  #clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#progress.clear();
    this.#holding = false;
  }
}

function toMessage(event: OutgoingEvent, nowMonotonicMs: number): ExecutorEvent {
  const ageMs = nowMonotonicMs - event.atMonotonicMs;
  const message = create(ExecutorEventSchema, {
    commandId: event.commandId,
    attempt: event.attempt,
    event: event.event,
  });
  if (ageMs >= AGE_TOLD_MS) message.age = durationFromMs(Math.round(ageMs));
  return message;
}
