import type { Pool } from 'pg';
import type { Clock } from '../../platform/clock.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { NatsLink } from '../../platform/nats/connection.ts';
import {
  executorReviewSubject,
  executorReviewSubjects,
  executorWakeSubject,
  executorWakeSubjects,
  subjectId,
} from '../../platform/nats/subject.ts';
import { SharedTurn } from '../../platform/shared-turn.ts';
import type { Bells } from '../bells.ts';
import { Ledgers } from '../delivery/ledgers.ts';
import { Quarantine } from '../delivery/quarantine.ts';
import { Sweeper } from '../delivery/sweeper.ts';
import { storedStreams } from '../store/link-store.ts';
import { PLATFORM_DIGEST } from '../wire/contract.ts';
import { payloadDefect } from '../wire/payload.ts';
import type { ContractPolicy } from '../domain/contract.ts';
import { LinkAcceptor } from './accept.ts';
import { contractRules } from './supported-contracts.ts';
import { SessionRegistry } from './registry.ts';
import { StreamReviewer } from './reviewer.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { ExecutorSession } from './session.ts';
import { isRefusal, reasonOf, type SessionEnd } from './session-end.ts';
import { StreamRecords } from './stream-records.ts';
import type { VenueDependencies } from './venue-channel.ts';
import { sendWelcome } from './welcome.ts';

/** Receipts, retries and heartbeats are looked after this often. */
const TICK_INTERVAL_MS = 250;
/** Between two ticks: then this process stood still, not its peers. */
const OWN_PAUSE_MS = 3_000;
/**
 * Acknowledgements of all streams within this go out together. At 500 commands a second over 1 000 streams that saved a tenth of
 * the machine against a timer of 20 ms for each stream: one for almost every command.
 */
const UNHURRIED_MS = 100;
/** How long agents get to open a stream elsewhere before theirs is ended. */
const DRAIN_MS = 1_500;

export interface LinkSideDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nats: NatsLink;
  readonly bells: Bells;
  readonly replicaId: string;
  readonly version: string;
  readonly contractPolicy: ContractPolicy;
  readonly venue: VenueDependencies;
  /** Remembers agents whose stream was ended with a no. */
  readonly refusals: Pick<RefusalLog, 'failed'>;
  /** Told which executors have changed, several times a second. */
  readonly looked: (executorIds: readonly string[], atMs: number) => void;
  /** An executor connected here, for which commands will come. */
  readonly connected: (accountId: string, executorId: string) => void;
}

/** Everything that carries commands to executors, as one part that starts and stops. */
export class LinkSide implements Running {
  readonly registry: SessionRegistry;
  readonly ledgers: Ledgers;
  readonly acceptor: LinkAcceptor;
  readonly welcome: (session: ExecutorSession) => void;
  readonly #deps: LinkSideDependencies;
  readonly #sweeper: Sweeper;
  readonly #reviewer: StreamReviewer;
  readonly #records: StreamRecords;
  readonly #unsubscribe: (() => void)[] = [];
  #ticker: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(deps: LinkSideDependencies) {
    const { pool, clock, logger, nats, bells, replicaId } = deps;
    this.#deps = deps;
    const quarantine = new Quarantine(pool, logger);
    const setAside = quarantine.setAside.bind(quarantine);
    this.registry = new SessionRegistry(setAside);
    this.ledgers = new Ledgers({
      pool,
      clock,
      logger,
      streams: this.registry,
      wake: (executorId) => nats.publish(executorWakeSubject(executorId)),
      committed: (accountId) => bells.historyGrew(accountId),
    });
    this.#sweeper = new Sweeper({
      pool,
      clock,
      logger,
      ledgers: this.ledgers,
      holds: (executorId) => this.registry.holds(executorId),
      setAside,
    });
    this.#reviewer = new StreamReviewer({
      stored: storedStreams(pool),
      clock,
      logger,
      registry: this.registry,
      looked: deps.looked,
    });
    this.#records = new StreamRecords(pool, logger, replicaId, this.registry);
    const own = { version: deps.version, digest: PLATFORM_DIGEST };
    const welcome = (session: ExecutorSession): void => sendWelcome(session, own);
    this.welcome = welcome;
    const unhurried = new SharedTurn(clock, UNHURRIED_MS);
    this.acceptor = new LinkAcceptor({
      pool,
      clock,
      logger,
      replicaId,
      ledgers: this.ledgers,
      registry: this.registry,
      setAside,
      contracts: contractRules(deps.contractPolicy, deps.version, PLATFORM_DIGEST),
      defectOf: (command) => payloadDefect(command.kind, command.parameters),
      accepted: (session) => {
        deps.connected(session.identity.accountId, session.identity.executorId);
        nats.publish(executorReviewSubject(session.identity.executorId));
        bells.executorsChanged(session.identity.accountId);
        logger.info({ executorId: session.identity.executorId, epoch: session.identity.epoch }, 'executor connected');
      },
      session: (accountId) => ({
        clock,
        write: (change, mayGather) => this.ledgers.of(accountId).write(change, mayGather),
        read: (commandIds) => this.ledgers.of(accountId).read(commandIds),
        setAside,
        ended: (session, end) => this.#ended(session, end),
        review: (executorId) => this.#reviewer.review(executorId),
        noteInFlightMax: (session) => this.#records.note(session),
        venue: deps.venue,
        unhurried,
      }),
    });
  }

  async start(): Promise<void> {
    const { nats, clock } = this.#deps;
    await this.#records.start();
    this.#unsubscribe.push(
      nats.subscribe(executorWakeSubjects(), (subject) => this.#wake(subjectId(subject))),
      nats.subscribe(executorReviewSubjects(), (subject) => this.#reviewer.review(subjectId(subject))),
    );
    this.ledgers.start();
    this.#sweeper.start();
    this.#reviewer.start();
    let lastTickMs = clock.steadyMs();
    this.#ticker = setInterval(() => {
      const tickMs = clock.steadyMs();
      // After a pause of our own, what agents said meanwhile is still to be read: that is no silence of theirs.
      const paused = tickMs - lastTickMs > OWN_PAUSE_MS;
      lastTickMs = tickMs;
      for (const session of this.registry.all()) {
        if (paused) session.heard();
        session.tick(clock.nowMs());
      }
    }, TICK_INTERVAL_MS);
  }

  /** Tells replicas to read the executor's row again: disabled, or its credentials changed. */
  executorChanged(accountId: string, executorId: string): void {
    this.#reviewer.review(executorId);
    this.#deps.nats.publish(executorReviewSubject(executorId));
    this.#deps.bells.executorsChanged(accountId);
  }

  /** Asks agents to move, gives them a moment, ends what is left, and writes down everything that was reported. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.acceptor.close();
    for (const session of this.registry.all()) session.drain(DRAIN_MS);
    const deadline = Date.now() + DRAIN_MS;
    while (this.registry.size > 0 && Date.now() < deadline) {
      await new Promise<void>((resolve) => setTimeout(resolve, 50));
    }
    for (const session of this.registry.all()) session.end({ type: 'draining' });
    clearInterval(this.#ticker);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await this.#sweeper.stop();
    await this.#reviewer.stop();
    await this.ledgers.stop();
    await this.#records.stop();
    this.#deps.venue.feed?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ended(session: ExecutorSession, end: SessionEnd): void {
    const { identity, endError } = session;
    const { executorId, epoch, journalId } = identity;
    const reason = reasonOf(end);
    this.registry.remove(session);
    this.#records.closed(session, reason);
    if (isRefusal(end, journalId)) this.#deps.refusals.failed(identity, identity.link, identity, endError);
    this.#deps.bells.executorsChanged(identity.accountId);
    this.#deps.logger.info({ executorId, epoch, reason }, 'executor disconnected');
  }

  #wake(executorId: string): void {
    const session = this.registry.get(executorId);
    if (session !== undefined) this.ledgers.sync(session.identity.accountId);
  }
}
