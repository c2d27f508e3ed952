import type { Transport } from '@connectrpc/connect';
import type { Hello } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { GrpcTransport } from '../../platform/grpc/transport.ts';
import type { Logger } from '../../platform/logger.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { CommandDesk } from '../execution/command-desk.ts';
import type { Outbox } from '../execution/outbox.ts';
import type { VenueDesk } from '../execution/venue-desk.ts';
import type { LinkEnd, LinkState } from './link-state.ts';
import { pause } from '../../platform/pause.ts';
import { PollLink } from './poll-link.ts';
import { retryDelayMs } from './reconnect-policy.ts';
import { StreamSession } from './stream-session.ts';

export interface LinkOptions {
  readonly journalId: string;
  /** Addresses of the executor port, tried in turn. */
  readonly urls: readonly string[];
  readonly openStreamTransport: (url: string) => GrpcTransport;
  /** The gateway, for polling; undefined when there is none. */
  readonly pollTransport: Transport | undefined;
  readonly hello: () => Hello;
  readonly desk: CommandDesk;
  readonly outbox: Outbox;
  readonly venue: VenueDesk;
  /** Called whenever something came from the platform. */
  readonly onHeard: () => void;
  readonly clock: AgentClock;
  readonly logger: Logger;
  readonly onState: (state: LinkState) => void;
  /** The link is defective and cannot go on. */
  readonly onFatal: (thrown: unknown) => void;
}

/** A stream that lasted this long was no accident: the next failure is counted as the first. */
const LASTING_MS = 5_000;
/** Polling begins after this many failures in a row, or this long without a stream. */
const POLL_AFTER_FAILURES = 3;
const POLL_AFTER_MS = 5_000;
/** A takeover by this same journal is our own doing when we polled this recently, or opened a newer stream. */
const OWN_POLL_MS = 60_000;

interface Conversation {
  readonly session: StreamSession;
  readonly ended: Promise<LinkEnd>;
  readonly openedMs: number;
  welcomeMs: number | undefined;
}

/**
 * Keeps the agent in touch: one stream, remade whenever it is lost; polling while it cannot be had; a second stream beside
 * the first while a replica drains.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #urlAt = 0;
  #failures = 0;
  /** The stream that carries events, once it is proven. */
  #current: Conversation | undefined;
  #newest: Conversation | undefined;
  #poll: { readonly link: PollLink; readonly ended: Promise<void> } | undefined;
  #pollReady = false;
  /** The gateway said that this agent is not wanted: worth more than that a stream cannot be had. */
  #pollUnwanted = false;
  #lastPollMs = Number.NEGATIVE_INFINITY;
  /** Another agent took over while this one was polling: the stream is left to it as well. */
  #stayAwayUntilMs = Number.NEGATIVE_INFINITY;
  #cancelPollTimer: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Begins to connect; never gives up by itself. */
  start(): void {
    this.#running ??= this.#run().catch(this.#options.onFatal);
  }

  /** Says goodbye and ends what is open. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the agent is stopping'));
    this.#newest?.session.finish('the agent is stopping');
    this.#current?.session.finish('the agent is stopping');
    await Promise.all([this.#running, this.#stopPolling(), this.#current?.ended, this.#newest?.ended]);
  }

  async #run(): Promise<void> {
    this.#options.onState({ kind: 'connecting' });
    this.#armPolling();
    while (!this.#stop.signal.aborted) {
      await pause(this.#options.clock, this.#stayAwayUntilMs - this.#nowMs(), this.#stop.signal);
      const end = await this.#converse();
      if (this.#stop.signal.aborted) return;
      if (end === 'draining') continue;
      const own = end.kind === 'superseded' && this.#isOwn(end.journalId);
      const effective: LinkEnd = own ? { kind: 'lost', reason: 'this agent itself had opened a newer link' } : end;
      await this.#stayAway(effective);
    }
  }

  /** Opens a stream and follows it to its end, or until its replica drains. */
  async #converse(): Promise<LinkEnd | 'draining'> {
    const { urls, openStreamTransport, desk, outbox, venue, onHeard, clock, logger, hello } = this.#options;
    const url = urls[this.#urlAt++ % urls.length];
    if (url === undefined) throw new Error('a link needs at least one URL');
    const draining = Promise.withResolvers<'draining'>();
    const session = new StreamSession({
      transport: openStreamTransport(url),
      hello,
      desk,
      outbox,
      venue,
      onHeard,
      clock,
      logger: logger.child({ url }),
      onWelcome: ({ streamEpoch }) => this.#welcomed(conversation, streamEpoch, url),
      onDrain: (reason) => {
        logger.info({ url, reason }, 'replica drains, opening another stream');
        draining.resolve('draining');
      },
    });
    const conversation: Conversation = {
      session,
      ended: session.run(),
      openedMs: this.#nowMs(),
      welcomeMs: undefined,
    };
    this.#newest = conversation;
    const end = await Promise.race([conversation.ended, draining.promise]);
    if (end === 'draining') {
      this.#leaveBehind(conversation).catch((thrown: unknown) =>
        logger.error({ err: thrown }, 'draining stream failed'),
      );
      return end;
    }
    this.#ended(conversation, end, url);
    return end;
  }

  #welcomed(conversation: Conversation, streamEpoch: bigint, url: string): void {
    const before = this.#current;
    this.#current = conversation;
    conversation.welcomeMs = this.#nowMs();
    if (before !== conversation) before?.session.finish('another stream has taken over');
    this.#cancelPollTimer?.();
    this.#stopPolling().catch(this.#options.onFatal);
    this.#options.logger.info({ url, streamEpoch: String(streamEpoch) }, 'connected');
    this.#options.onState({ kind: 'ready', via: 'stream', streamEpoch });
  }

  /** A draining stream goes on until another is proven or its replica ends it. */
  async #leaveBehind(conversation: Conversation): Promise<void> {
    const end = await conversation.ended;
    if (this.#current !== conversation) return;
    this.#current = undefined;
    this.#options.logger.warn({ end }, 'draining replica ended the stream before another was found');
    this.#options.onState({ kind: 'connecting' });
    this.#armPolling();
  }

  #ended(conversation: Conversation, end: LinkEnd, url: string): void {
    const lastedMs = conversation.welcomeMs === undefined ? 0 : this.#nowMs() - conversation.welcomeMs;
    this.#failures = lastedMs >= LASTING_MS ? 0 : this.#failures + 1;
    if (this.#current === conversation) {
      this.#current = undefined;
      this.#armPolling();
    }
    if (this.#stop.signal.aborted) return;
    // Once per transition: the tries that follow a first failure say nothing new.
    const level = conversation.welcomeMs !== undefined || this.#failures === 1 ? 'warn' : 'debug';
    this.#options.logger[level]({ url, end, lastedMs }, 'stream ended');
  }

  /** Whether the journal that took over is this one, and it was this agent: not a copy of the journal elsewhere. */
  #isOwn(journalId: string): boolean {
    if (journalId !== this.#options.journalId && journalId !== '') return false;
    return this.#nowMs() - this.#lastPollMs < OWN_POLL_MS || this.#current !== undefined;
  }

  async #stayAway(end: LinkEnd): Promise<void> {
    const { urls, clock, logger } = this.#options;
    // A draining stream that still carries everything: only the search for its successor failed.
    if (this.#current === undefined && end.kind === 'lost' && this.#failures >= POLL_AFTER_FAILURES)
      this.#startPolling();
    const facts = { failures: this.#failures, urls: urls.length, polling: this.#pollReady };
    const delayMs = retryDelayMs(end, facts);
    const untilMs = clock.nowMs() + delayMs;
    if (end.kind === 'superseded') {
      logger.error(
        { host: end.host, journalId: end.journalId, stayAwayMs: Math.round(delayMs) },
        'another agent took over with the same credential, staying away',
      );
    } else if (end.kind === 'refused') {
      logger.error({ reason: end.reason, retryMs: Math.round(delayMs) }, 'the platform refuses this credential');
    }
    if (end.kind !== 'lost') {
      this.#cancelPollTimer?.();
      await this.#stopPolling();
    }
    this.#tellWithoutLink(stateAfter(end, untilMs));
    await pause(clock, delayMs, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    this.#tellWithoutLink({ kind: 'connecting' });
    if (end.kind !== 'lost') this.#armPolling();
  }

  /** Tells how the search for a stream goes, as long as nothing better or clearer is known. */
  #tellWithoutLink(state: LinkState): void {
    if (this.#current === undefined && !this.#pollReady && !this.#pollUnwanted) this.#options.onState(state);
  }

  #armPolling(): void {
    this.#cancelPollTimer?.();
    this.#cancelPollTimer = this.#options.clock.after(POLL_AFTER_MS, () => this.#startPolling());
  }

  #startPolling(): void {
    const { pollTransport, hello, desk, outbox, venue, onHeard, clock, logger, onState } = this.#options;
    const idle = this.#poll === undefined && this.#current === undefined && !this.#stop.signal.aborted;
    if (pollTransport === undefined || !idle) return;
    this.#cancelPollTimer?.();
    logger.info({ failures: this.#failures }, 'no stream to be had, polling the gateway meanwhile');
    const link = new PollLink({
      transport: pollTransport,
      journalId: this.#options.journalId,
      hello: () => {
        this.#lastPollMs = this.#nowMs();
        return hello();
      },
      desk,
      outbox,
      venue,
      onHeard,
      clock,
      logger,
      onReady: (streamEpoch) => {
        this.#pollReady = true;
        this.#pollUnwanted = false;
        onState({ kind: 'ready', via: 'poll', streamEpoch });
      },
      onFailure: (end, retryMs) => {
        logger.warn({ end, retryMs: Math.round(retryMs) }, 'polling failed');
        this.#pollReady = false;
        this.#pollUnwanted = end.kind !== 'lost';
        if (end.kind === 'superseded') this.#stayAwayUntilMs = this.#nowMs() + retryMs;
        onState(stateAfter(end, clock.nowMs() + retryMs));
      },
    });
    this.#poll = { link, ended: link.run() };
  }

  async #stopPolling(): Promise<void> {
    const poll = this.#poll;
    if (poll === undefined) return;
    this.#poll = undefined;
    this.#pollReady = false;
    this.#pollUnwanted = false;
    this.#lastPollMs = this.#nowMs();
    poll.link.stop();
    await poll.ended;
  }

  #nowMs(): number {
    return this.#options.clock.reading().monotonicMs;
  }
}

function stateAfter(end: LinkEnd, untilMs: number): LinkState {
  switch (end.kind) {
    case 'refused':
      return { kind: 'refused', reason: end.reason, untilMs };
    case 'superseded':
      return { kind: 'superseded', host: end.host, journalId: end.journalId, untilMs };
    case 'lost':
      return { kind: 'backing_off', reason: end.reason, untilMs };
    case 'closed':
      return { kind: 'connecting' };
    default:
      return neverEnd(end);
  }
}

function neverEnd(end: never): never {
  throw new Error(`no link ends as ${JSON.stringify(end)}`);
}
