import type { Transport } from '@connectrpc/connect';
import { messageOf } from '../platform/errors.ts';
import type { GrpcTransport } from '../platform/grpc/transport.ts';
import type { Running } from '../platform/lifecycle.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import type { Adapter } from './adapters/adapter.ts';
import { type AgentClock, agentSystemClock } from './agent-clock.ts';
import { AGENT_VERSION } from './agent-version.ts';
import type { ExecutorCredentials } from './credentials.ts';
import type { LocalLimits } from './domain/local-limits.ts';
import { CommandDesk } from './execution/command-desk.ts';
import { lossFile } from './execution/loss-file.ts';
import { Outbox } from './execution/outbox.ts';
import { PlatformContact } from './execution/platform-contact.ts';
import { VenueDesk } from './execution/venue-desk.ts';
import type { Journal } from './journal/journal.ts';
import { keepForExecutor } from './journal/journal-executor.ts';
import { openJournal } from './journal/sqlite-journal.ts';
import { createHello, offeredKinds } from './stream/hello.ts';
import { Link } from './stream/link.ts';
import type { LinkState } from './stream/link-state.ts';
import { pollTransport, streamTransport } from './stream/transports.ts';

/** Settings of an executor. Only credentials, adapter and one of the two journals are needed. */
export interface ExecutorOptions {
  readonly credentials: ExecutorCredentials;
  readonly adapter: Adapter;
  /** Folder for the journal and the adapter's files; made when it is not there. One process at a time. */
  readonly journalDirectory?: string;
  /**
   * A journal that is open already, instead of the one in `journalDirectory`, which then only serves the adapter; closed by
   * `stop` like one of its own.
   */
  readonly journal?: Journal;
  /** What this agent may do, whatever the platform asks. Default: everything that the adapter can. */
  readonly limits?: LocalLimits;
  /** Commands that the adapter executes at the same time. Default 64. */
  readonly concurrencyMax?: number;
  /** Commands that the platform may have in flight to this agent, 1 to 10000. Default 256. */
  readonly inFlightMax?: number;
  /** How long `stop` waits for running commands, and then, at most 2000, for the platform to take the last results. Default 5000. */
  readonly stopGraceMs?: number;
  readonly logger?: Logger;
  readonly clock?: AgentClock;
  /** Told to the platform. Default: the version of this package. */
  readonly agentVersion?: string;
  /** Replaces the transports that are made from the credentials. */
  readonly transports?: {
    readonly stream?: (url: string) => GrpcTransport;
    readonly poll?: Transport;
  };
}

export type ExecutorState = LinkState;

/** An executor agent. */
export interface Executor extends Running {
  /** Opens journal and adapter, takes up what was left, and begins to connect; does not wait for the platform. */
  start(): Promise<void>;
  /** Says goodbye: starts nothing more, lets running commands end within `stopGraceMs`, tells their results. Idempotent. */
  stop(): Promise<void>;
  readonly state: ExecutorState;
  /** Calls back at every change of state; the returned function ends that. */
  onStateChange(listener: (state: ExecutorState) => void): () => void;
}

const CONCURRENCY_MAX = 64;
const IN_FLIGHT_MAX = 256;
const STOP_GRACE_MS = 5_000;
/** How long `stop` waits for the platform to acknowledge the last results. */
const FLUSH_MS_MAX = 2_000;
const SWEEP_INTERVAL_MS = 500;
const PRUNE_INTERVAL_MS = 60_000;
/** Pause before forgetting goes on when one round was not enough. */
const PRUNE_AGAIN_MS = 50;
/** Longest delay of a Node timer; the interval does nothing but keep a started executor's process alive. */
const FOREVER_MS = 2_147_483_647;

/**
 * Makes an executor agent for a venue. Nothing happens before `start`.
 *
 * ```ts
 * const executor = createExecutor({ credentials: readCredentials('vps-1.json').credentials, adapter, journalDirectory: 'vps-1.journal' });
 * executor.onStateChange((state) => console.log(state.kind));
 * await executor.start();
 * ```
 */
export function createExecutor(options: ExecutorOptions): Executor {
  return new ExecutorAgent(options);
}

interface Parts {
  readonly journal: Journal;
  readonly desk: CommandDesk;
  readonly venue: VenueDesk;
  readonly contact: PlatformContact;
  readonly link: Link;
}

class ExecutorAgent implements Executor {
  readonly #options: ExecutorOptions;
  readonly #logger: Logger;
  readonly #clock: AgentClock;
  readonly #listeners = new Set<(state: ExecutorState) => void>();
  readonly #timers = new Set<() => void>();
  #state: ExecutorState = { kind: 'stopped' };
  #parts: Parts | undefined;
  #stopping: Promise<void> | undefined;
  #fatal: string | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#logger = options.logger ?? createLogger('executor', 'info');
    this.#clock = options.clock ?? agentSystemClock;
  }

  get state(): ExecutorState {
    return this.#state;
  }

  onStateChange(listener: (state: ExecutorState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    if (this.#parts !== undefined || this.#stopping !== undefined) throw new Error('an executor is started once');
    const { adapter, credentials, journalDirectory } = this.#options;
    const journal = this.#options.journal ?? openOwnJournal(journalDirectory);
    let opened = false;
    try {
      const { executorId = '', executorName = '' } = credentials;
      if (journalDirectory !== undefined && executorId !== '') {
        keepForExecutor(journalDirectory, { executorId, executorName });
      }
      const logger = this.#logger.child({ adapter: adapter.name });
      const notices = {
        interestChanged: () => this.#parts?.venue.interestChanged(),
        eventsWritten: () => this.#parts?.venue.eventsWritten(),
      };
      await adapter.open?.({ logger, directory: journalDirectory, notices, clock: this.#clock });
      opened = true;
      this.#parts = this.#build(journal);
      this.#parts.desk.restore();
    } catch (thrown) {
      this.#parts = undefined;
      if (opened) await adapter.close?.();
      await journal.close();
      throw thrown;
    }
    const { desk, link, contact } = this.#parts;
    this.#every(SWEEP_INTERVAL_MS, () => {
      desk.sweep();
      contact.tick();
    });
    this.#prune();
    const alive = setInterval(() => undefined, FOREVER_MS);
    this.#timers.add(() => clearInterval(alive));
    link.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #build(journal: Journal): Parts {
    const { adapter, credentials, limits = {}, transports = {} } = this.#options;
    const clock = this.#clock;
    const logger = this.#logger;
    const outbox = new Outbox(clock, this.#options.inFlightMax ?? IN_FLIGHT_MAX);
    const onFatal = (thrown: unknown): void => this.#fail(thrown);
    const venue = new VenueDesk({ adapter, logger, onFatal });
    const memory = lossFile(this.#options.journalDirectory);
    const contact = new PlatformContact({ adapter, clock, logger, memory, onFatal });
    const desk = new CommandDesk({
      adapter,
      journal,
      limits,
      concurrencyMax: this.#options.concurrencyMax ?? CONCURRENCY_MAX,
      clock,
      logger,
      outbox,
      refusalOf: (facts) => contact.refusalOf(facts),
      onFatal,
    });
    const identity = {
      journalId: journal.id,
      agentVersion: this.#options.agentVersion ?? AGENT_VERSION,
      kinds: offeredKinds(adapter.kinds, limits),
      takesPrices: venue.takesPrices,
    };
    const link = new Link({
      journalId: journal.id,
      urls: credentials.linkUrls,
      openStreamTransport: transports.stream ?? ((url) => streamTransport(url, credentials)),
      pollTransport: transports.poll ?? pollTransport(credentials),
      hello: () => createHello(identity, outbox.grant, desk.journalEntries(), clock.nowMs()),
      desk,
      outbox,
      venue,
      onHeard: () => contact.heard(),
      clock,
      logger,
      onState: (state) => this.#enter(state),
      onFatal,
    });
    return { journal, desk, venue, contact, link };
  }

  async #stop(): Promise<void> {
    const parts = this.#parts;
    if (parts !== undefined) {
      const { desk, venue, contact, link, journal } = parts;
      if (this.#fatal === undefined) {
        const graceMs = this.#options.stopGraceMs ?? STOP_GRACE_MS;
        await desk.stop(graceMs);
        if (this.#state.kind === 'ready') await desk.flush(Math.min(FLUSH_MS_MAX, graceMs));
      } else await desk.stop(0);
      for (const cancel of this.#timers) cancel();
      await link.stop();
      desk.close();
      await contact.close();
      await venue.close();
      await this.#options.adapter.close?.();
      await journal.close();
    }
    this.#enter(this.#fatal === undefined ? { kind: 'stopped' } : { kind: 'stopped', error: this.#fatal });
  }

  /** The agent can no longer keep its word: it ends, and its next start takes up what the journal holds. */
  #fail(thrown: unknown): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = messageOf(thrown);
    this.#logger.fatal({ err: thrown }, 'the agent must stop');
    this.stop().catch((failure: unknown) => this.#logger.error({ err: failure }, 'stopping failed'));
  }

  #enter(state: ExecutorState): void {
    this.#state = state;
    // Of two machines with one credential exactly one acts, until the platform has accepted this one again.
    const { desk, contact } = this.#parts ?? {};
    if (state.kind === 'superseded') {
      desk?.standBy(true);
      contact?.standBy();
    } else if (state.kind === 'ready') {
      desk?.standBy(false);
      contact?.found();
    } else contact?.lost();
    for (const listener of this.#listeners) {
      try {
        listener(state);
      } catch (thrown) {
        this.#logger.error({ err: thrown }, 'a listener for state changes failed');
      }
    }
  }

  #every(intervalMs: number, act: () => void): void {
    this.#after(intervalMs, () => {
      act();
      this.#every(intervalMs, act);
    });
  }

  #prune(): void {
    this.#after(PRUNE_INTERVAL_MS, () => this.#pruneRound());
  }

  #pruneRound(): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    const forgotten = parts.journal.prune(this.#clock.nowMs());
    if (forgotten > 0) {
      this.#after(PRUNE_AGAIN_MS, () => this.#pruneRound());
      return;
    }
    parts.desk.refreshStops();
    this.#prune();
  }

  #after(delayMs: number, callback: () => void): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
  }
}

function openOwnJournal(directory: string | undefined): Journal {
  if (directory === undefined)
    throw new Error('an executor needs a journal: give journalDirectory, or an open journal');
  return openJournal(directory);
}
