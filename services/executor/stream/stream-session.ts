import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Duration, durationMs, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';
import {
  type ConnectRequestSchema,
  EventBatchSchema,
  ExecutorLinkService,
  type Hello,
  type Welcome,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { GrpcTransport } from '../../platform/grpc/transport.ts';
import type { Logger } from '../../platform/logger.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { ClockReading } from '../domain/start-deadline.ts';
import type { CommandDesk } from '../execution/command-desk.ts';
import type { Outbox, OutboxReader } from '../execution/outbox.ts';
import type { VenueDesk, VenueReader } from '../execution/venue-desk.ts';
import { handleFrame } from './frame-handler.ts';
import { linkEndOf } from './link-end.ts';
import type { LinkEnd } from './link-state.ts';
import { TransitClock } from './transit-clock.ts';

type RequestInit = MessageInitShape<typeof ConnectRequestSchema>;
type FrameInit = NonNullable<RequestInit['frame']>;

export interface StreamSessionOptions {
  readonly transport: GrpcTransport;
  /** Made anew for every stream: it says what the journal holds at that moment. */
  readonly hello: () => Hello;
  readonly desk: CommandDesk;
  readonly outbox: Outbox;
  readonly venue: VenueDesk;
  readonly clock: AgentClock;
  readonly logger: Logger;
  /** Called for every frame. */
  readonly onHeard: () => void;
  /** The stream is proven; events flow through it from now on. */
  readonly onWelcome: (welcome: Welcome) => void;
  /** The replica goes away: another stream should take over, then `finish` this one. */
  readonly onDrain: (reason: string) => void;
}

/** Longest silence that either end of a stream may keep, whatever the platform proposes. */
const HEARTBEAT_INTERVAL_MS_MAX = 15_000;
const READ_TIMEOUT_MS_MAX = 20_000;
/** Shortest that is taken seriously. */
const HEARTBEAT_INTERVAL_MS_MIN = 20;
/** From opening the stream to its Welcome. */
const WELCOME_MS_MAX = 10_000;
/** How long the platform may take to end a stream that this side has finished. */
const FINISH_MS_MAX = 2_000;

/** One stream, from Hello to its end. Both ends beat, and both give up after a silence. */
export class StreamSession {
  readonly #options: StreamSessionOptions;
  readonly #abort = new AbortController();
  readonly #control: FrameInit[] = [];
  readonly #timers = new Set<() => void>();
  #reader: OutboxReader | undefined;
  #venueReader: VenueReader | undefined;
  #grantTold = 0;
  #resume: (() => void) | undefined;
  #lastFrameMs: number;
  #readTimeoutMs = READ_TIMEOUT_MS_MAX;
  #beat = 0n;
  #helloSent: ClockReading | undefined;
  #beatSent: ClockReading | undefined;
  readonly #transit = new TransitClock();
  #finishing = false;
  #over = false;
  #silence: string | undefined;

  constructor(options: StreamSessionOptions) {
    this.#options = options;
    this.#lastFrameMs = this.#nowMs();
  }

  /** Speaks until the stream ends; never rejects. */
  async run(): Promise<LinkEnd> {
    const { transport, logger, onHeard } = this.#options;
    this.#after(WELCOME_MS_MAX, () => {
      if (this.#reader === undefined) this.#cut(`no welcome within ${WELCOME_MS_MAX} ms`);
    });
    try {
      const client = createClient(ExecutorLinkService, transport);
      for await (const response of client.connect(this.#requests(), { signal: this.#abort.signal })) {
        this.#lastFrameMs = this.#nowMs();
        onHeard();
        // Another link has taken over: what this one still brings comes again, there, and what it asks is asked there.
        const { frame } = response;
        if (this.#finishing && (frame.case === 'commands' || frame.case === 'inquiry')) continue;
        const signal = handleFrame(response, this.#options, logger, (time) => this.#sinceMs(time));
        if (signal.kind === 'welcome') this.#welcomed(signal.welcome);
        else if (signal.kind === 'heartbeat_reply') this.#heartbeatAnswered(signal.number, signal.time);
        else if (signal.kind === 'heartbeat') this.#send({ case: 'heartbeatReply', value: { number: signal.number } });
        else if (signal.kind === 'drain') this.#options.onDrain(signal.drain.reason);
        else if (signal.kind === 'superseded') {
          return { kind: 'superseded', host: signal.superseded.host, journalId: signal.superseded.journalId };
        }
      }
      return this.#finishing ? { kind: 'closed' } : { kind: 'lost', reason: 'the platform ended the stream' };
    } catch (thrown) {
      if (!(thrown instanceof ConnectError)) logger.error({ err: thrown }, 'handling the stream failed');
      if (this.#silence !== undefined) return { kind: 'lost', reason: this.#silence };
      return this.#finishing ? { kind: 'closed' } : linkEndOf(thrown);
    } finally {
      this.#end();
    }
  }

  /** Says goodbye, sends what waits, and ends the stream; cuts it when the platform does not follow. */
  finish(reason: string): void {
    if (this.#finishing) return;
    this.#finishing = true;
    if (this.#reader === undefined) this.#abort.abort(new Error('finished'));
    this.#control.push({ case: 'goodbye', value: { reason } });
    this.#wake();
    this.#after(FINISH_MS_MAX, () => this.#abort.abort(new Error('finished')));
  }

  #welcomed(welcome: Welcome): void {
    if (this.#reader !== undefined) return;
    const intervalMs = within(welcome.heartbeatInterval, HEARTBEAT_INTERVAL_MS_MAX);
    this.#readTimeoutMs = within(welcome.readTimeout, READ_TIMEOUT_MS_MAX);
    this.#exchanged(this.#helloSent, welcome.helloTime);
    this.#reader = this.#options.outbox.open(() => this.#wake());
    this.#venueReader = this.#options.venue.open(() => this.#wake());
    this.#options.desk.resync();
    this.#options.onWelcome(welcome);
    this.#heartbeats(intervalMs);
    this.#watchSilence(this.#readTimeoutMs);
    this.#wake();
  }

  #heartbeats(intervalMs: number): void {
    this.#after(intervalMs, () => {
      // One that could not be sent yet says as much as two.
      const waiting = this.#control.some((frame) => frame.case === 'heartbeat');
      if (!waiting) {
        this.#send({ case: 'heartbeat', value: { number: ++this.#beat } });
        this.#beatSent = this.#options.clock.reading();
      }
      this.#heartbeats(intervalMs);
    });
  }

  #heartbeatAnswered(number: bigint, time: Timestamp | undefined): void {
    if (number === this.#beat) this.#exchanged(this.#beatSent, time);
  }

  #exchanged(sent: ClockReading | undefined, time: Timestamp | undefined): void {
    if (sent !== undefined && time !== undefined) this.#transit.exchanged(sent, timestampMs(time));
  }

  #sinceMs(time: Timestamp): number {
    return this.#transit.sinceMs(timestampMs(time), this.#options.clock.reading());
  }

  #watchSilence(inMs: number): void {
    this.#after(inMs, () => {
      // After a long pause of this process the timer comes before what waits in the socket: read that first.
      setImmediate(() => {
        if (this.#over) return;
        const silentMs = this.#nowMs() - this.#lastFrameMs;
        if (silentMs < this.#readTimeoutMs) this.#watchSilence(this.#readTimeoutMs - silentMs);
        else this.#cut(`the platform was silent for ${Math.round(silentMs)} ms`);
      });
    });
  }

  #cut(reason: string): void {
    this.#silence = reason;
    this.#abort.abort(new Error(reason));
  }

  async *#requests(): AsyncGenerator<RequestInit> {
    const hello = this.#options.hello();
    this.#helloSent = this.#options.clock.reading();
    this.#grantTold = hello.inFlightMax;
    yield { frame: { case: 'hello', value: hello } };
    while (!this.#over) {
      const frame = this.#nextFrame();
      if (frame !== undefined) yield { frame };
      else if (this.#finishing) return;
      else {
        await new Promise<void>((resolve) => {
          this.#resume = resolve;
        });
      }
    }
  }

  /** What is to be sent next: control frames before events, a changed grant before either can pile up. */
  #nextFrame(): FrameInit | undefined {
    const control =
      this.#control[0]?.case === 'goodbye' && this.#reader?.hasEvents() ? undefined : this.#control.shift();
    if (control !== undefined) return control;
    if (this.#reader === undefined) return undefined;
    const { grant } = this.#options.outbox;
    if (grant !== this.#grantTold) {
      this.#grantTold = grant;
      return { case: 'inFlightLimit', value: { inFlightMax: grant } };
    }
    const interest = this.#venueReader?.takeInterest();
    if (interest !== undefined) return { case: 'priceInterest', value: interest };
    const events = this.#reader.take();
    if (events.length > 0) return { case: 'events', value: create(EventBatchSchema, { events }) };
    const venueEvents = this.#venueReader?.takeEvents() ?? [];
    return venueEvents.length === 0 ? undefined : { case: 'venueEvents', value: { events: venueEvents } };
  }

  #send(frame: FrameInit): void {
    this.#control.push(frame);
    this.#wake();
  }

  /** Resumes sending when this turn's events have gathered: they go in one frame. */
  #wake(): void {
    const resume = this.#resume;
    if (resume === undefined) return;
    this.#resume = undefined;
    process.nextTick(resume);
  }

  #after(delayMs: number, callback: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#over) callback();
    });
    this.#timers.add(cancel);
  }

  #end(): void {
    this.#over = true;
    for (const cancel of this.#timers) cancel();
    this.#reader?.close();
    this.#venueReader?.close();
    this.#wake();
    this.#abort.abort(new Error('the stream has ended'));
    this.#options.transport.close();
  }

  #nowMs(): number {
    return this.#options.clock.reading().monotonicMs;
  }
}

/** A span that the platform proposes, within what this side accepts. */
function within(proposed: Duration | undefined, maxMs: number): number {
  const wantedMs = proposed === undefined ? maxMs : durationMs(proposed);
  return Math.min(maxMs, Math.max(HEARTBEAT_INTERVAL_MS_MIN, wantedMs));
}
