import { create } from '@bufbuild/protobuf';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import {
  EventBatchSchema,
  ExecutorLinkService,
  type Hello,
  InFlightLimitSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Logger } from '../../platform/logger.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { CommandDesk } from '../execution/command-desk.ts';
import type { Outbox, OutboxReader } from '../execution/outbox.ts';
import type { VenueDesk, VenueReader } from '../execution/venue-desk.ts';
import { handleFrame } from './frame-handler.ts';
import { linkEndOf } from './link-end.ts';
import type { LinkEnd } from './link-state.ts';
import { pause } from '../../platform/pause.ts';
import { retryDelayMs } from './reconnect-policy.ts';
import { TransitClock } from './transit-clock.ts';

export interface PollLinkOptions {
  readonly transport: Transport;
  readonly journalId: string;
  readonly hello: () => Hello;
  readonly desk: CommandDesk;
  readonly outbox: Outbox;
  readonly venue: VenueDesk;
  readonly clock: AgentClock;
  readonly logger: Logger;
  /** Called for every answer. */
  readonly onHeard: () => void;
  /** Commands flow by polling from now on. */
  readonly onReady: (streamEpoch: bigint) => void;
  /** A poll failed; the next comes after `retryMs`. */
  readonly onFailure: (end: LinkEnd, retryMs: number) => void;
}

/** Longest wait of one poll at the gateway, and the time beyond it that the call may take. */
const POLL_WAIT_MS = 20_000;
const POLL_SLACK_MS = 10_000;
const REPORT_MS_MAX = 10_000;
/** An empty answer that comes sooner than this is no long poll: the pause keeps it from becoming a busy loop. */
const POLL_PAUSE_MS = 250;

/**
 * The conversation without a stream: polls for frames and reports events, with the same meaning as on the stream. Used
 * while the stream cannot be had.
 */
export class PollLink {
  readonly #options: PollLinkOptions;
  readonly #client: Client<typeof ExecutorLinkService>;
  readonly #stop = new AbortController();
  /** Ends the poll that is under way, so that the next one brings everything in step again. */
  #poll = new AbortController();
  #streamEpoch = 0n;
  #reader: OutboxReader | undefined;
  #venueReader: VenueReader | undefined;
  #failures = 0;
  #reporting = false;
  #gotFrames = false;

  constructor(options: PollLinkOptions) {
    this.#options = options;
    this.#client = createClient(ExecutorLinkService, options.transport);
  }

  /** Polls until `stop`; never rejects. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedMs = this.#nowMs();
      const end = await this.#pollOnce();
      if (this.#stop.signal.aborted) break;
      if (end === undefined) {
        this.#failures = 0;
        if (this.#nowMs() - startedMs < POLL_PAUSE_MS && !this.#gotFrames) await this.#pause(POLL_PAUSE_MS);
        continue;
      }
      this.#lose();
      this.#failures += 1;
      const retryMs = retryDelayMs(end, { failures: this.#failures, urls: 1, polling: true });
      this.#options.onFailure(end, retryMs);
      await this.#pause(retryMs);
    }
    this.#lose();
  }

  /** Ends the poll that is under way. */
  stop(): void {
    this.#stop.abort(new Error('polling is over'));
  }

  /** One poll and what it brought; why it failed otherwise. */
  async #pollOnce(): Promise<LinkEnd | undefined> {
    this.#poll = new AbortController();
    const { venue } = this.#options;
    // The interest says which prices have been taken: those of the last answer must have been.
    await venue.settled();
    this.#venueReader?.takeInterest();
    const request = {
      hello: this.#options.hello(),
      streamEpoch: this.#streamEpoch,
      wait: durationFromMs(POLL_WAIT_MS),
      ...(venue.takesPrices ? { priceInterest: venue.interest() } : {}),
    };
    const sent = this.#options.clock.reading();
    try {
      const { frames, pollTime } = await this.#client.pollCommands(request, {
        signal: AbortSignal.any([this.#stop.signal, this.#poll.signal]),
        timeoutMs: POLL_WAIT_MS + POLL_SLACK_MS,
      });
      this.#options.onHeard();
      // A stream has taken over meanwhile: what this brought comes again, there.
      if (this.#stop.signal.aborted) return undefined;
      this.#gotFrames = frames.length > 0;
      // Of this poll alone: the next one may be answered by a replica with another clock.
      const transit = new TransitClock();
      if (pollTime !== undefined) transit.exchanged(sent, timestampMs(pollTime));
      for (const frame of frames) {
        const signal = handleFrame(frame, this.#options, this.#options.logger, (time) =>
          transit.sinceMs(timestampMs(time), this.#options.clock.reading()),
        );
        if (signal.kind === 'welcome') this.#welcomed(signal.welcome.streamEpoch);
        else if (signal.kind === 'superseded') {
          const { host, journalId } = signal.superseded;
          if (journalId !== this.#options.journalId) return { kind: 'superseded', host, journalId };
          return { kind: 'lost', reason: 'a stream of this agent took over' };
        }
      }
      return this.#streamEpoch === 0n ? { kind: 'lost', reason: 'the poll was answered without a welcome' } : undefined;
    } catch (thrown) {
      // Reporting failed and asks for a fresh start: that is its own next poll, without a pause.
      if (this.#poll.signal.aborted && !this.#stop.signal.aborted) return undefined;
      return linkEndOf(thrown);
    }
  }

  #welcomed(streamEpoch: bigint): void {
    this.#streamEpoch = streamEpoch;
    this.#reader = this.#options.outbox.open(() => this.#wakeReports());
    this.#venueReader = this.#options.venue.open(() => this.#venueNews());
    this.#options.desk.resync();
    this.#options.onReady(streamEpoch);
  }

  /** Reports when this turn's events have gathered. */
  #wakeReports(): void {
    if (this.#reporting) return;
    this.#reporting = true;
    process.nextTick(() => {
      this.#report().catch((thrown: unknown) => this.#options.logger.error({ err: thrown }, 'reporting failed'));
    });
  }

  async #report(): Promise<void> {
    try {
      for (let news = this.#news(); news !== undefined; news = this.#news()) {
        const { events, venueEvents } = news;
        const response = await this.#client.reportEvents(
          {
            streamEpoch: this.#streamEpoch,
            events: create(EventBatchSchema, { events }),
            inFlightLimit: create(InFlightLimitSchema, { inFlightMax: this.#options.outbox.grant }),
            ...(venueEvents.length === 0 ? {} : { venueEvents: { events: venueEvents } }),
          },
          { signal: this.#stop.signal, timeoutMs: REPORT_MS_MAX },
        );
        this.#options.desk.acknowledge(response.eventsAcknowledged?.commandIds ?? []);
        const { venueEventsAcknowledged } = response;
        if (venueEventsAcknowledged !== undefined) this.#options.venue.acknowledge(venueEventsAcknowledged);
      }
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      this.#options.logger.warn({ reason: linkEndOf(thrown) }, 'events not taken, polling anew');
      this.#lose();
      this.#poll.abort(new Error('events were not taken'));
    } finally {
      this.#reporting = false;
      if (this.#reader?.hasEvents() === true) this.#wakeReports();
    }
  }

  /** Everything that waits to be reported; undefined when nothing does. */
  #news() {
    const events = this.#reader?.take() ?? [];
    const venueEvents = this.#venueReader?.takeEvents() ?? [];
    return events.length + venueEvents.length === 0 ? undefined : { events, venueEvents };
  }

  /** Events are to be reported, or other prices are wanted: the interest goes with a poll, so the next one comes at once. */
  #venueNews(): void {
    if (this.#venueReader?.takeInterest() !== undefined) this.#poll.abort(new Error('other prices are wanted'));
    this.#wakeReports();
  }

  /** The next poll comes without an epoch and is told everything again. */
  #lose(): void {
    this.#streamEpoch = 0n;
    this.#reader?.close();
    this.#reader = undefined;
    this.#venueReader?.close();
    this.#venueReader = undefined;
  }

  #pause(delayMs: number): Promise<void> {
    return pause(this.#options.clock, delayMs, this.#stop.signal);
  }

  #nowMs(): number {
    return this.#options.clock.reading().monotonicMs;
  }
}
