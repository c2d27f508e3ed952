import type { Pool } from 'pg';
import type { Hello } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Batcher } from '../../platform/batcher.ts';
import { StatusError, unavailable } from '../../platform/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { isAway, isUnavailable } from '../../platform/postgres/failure.ts';
import type { Ledgers } from '../delivery/ledgers.ts';
import type { Command } from '../domain/command.ts';
import { type ContractRules, servedKinds } from '../domain/contract.ts';
import type { UnreadableCommand } from '../domain/repository.ts';
import * as store from '../store/command-store.ts';
import * as linkStore from '../store/link-store.ts';
import { journalOf } from './frames.ts';
import { offerOf } from './offer.ts';
import type { SessionRegistry } from './registry.ts';
import { ExecutorSession, type SessionDependencies } from './session.ts';

/** The executor that a credential belongs to. */
export interface LinkCaller {
  readonly executorId: string;
  readonly accountId: string;
  readonly executorName: string;
  readonly keyId: string;
  readonly credentialEndMs: number | null;
}

export interface AcceptDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly replicaId: string;
  readonly ledgers: Ledgers;
  readonly registry: SessionRegistry;
  readonly session: (accountId: string) => Omit<SessionDependencies, 'logger'>;
  readonly setAside: (unreadable: readonly UnreadableCommand[]) => void;
  /** What is wrong with a command's stored parameters; undefined when they can be sent. */
  readonly defectOf: (command: Command) => string | undefined;
  /** Which wire formats are served, and how. */
  readonly contracts: ContractRules;
  /** Tells other replicas that the executor's stream is here now. */
  readonly accepted: (session: ExecutorSession) => void;
}

/** The stream that an offer became; undefined when the executor is disabled; an error when the database would not write it. */
type OfferAnswer = linkStore.AcceptedStream | Error | undefined;

const OFFERS_PER_STATEMENT_MAX = 500;
const OPEN_PAGE_COMMANDS = 2_000;
const UNSETTLED_MAX = 1_000;

/**
 * Accepts links: fences the executor with a new epoch, ends the older link, loads what is open, agrees with the agent on
 * what it holds, and begins to send. Thousands that come back at once share statements.
 */
export class LinkAcceptor {
  readonly #deps: AcceptDependencies;
  readonly #offers: Batcher<linkStore.StreamOffer, OfferAnswer>;
  readonly #opens: Batcher<string, readonly Command[]>;
  readonly #unsettled: Batcher<string, readonly Command[]>;
  #closed = false;

  constructor(deps: AcceptDependencies) {
    this.#deps = deps;
    this.#offers = new Batcher({
      itemsMax: OFFERS_PER_STATEMENT_MAX,
      concurrency: 1,
      flush: (offers) => this.#flushOffers(offers),
    });
    this.#opens = new Batcher({
      itemsMax: OFFERS_PER_STATEMENT_MAX,
      concurrency: 2,
      flush: (ids) => this.#loadOpen(ids),
    });
    this.#unsettled = new Batcher({
      itemsMax: OFFERS_PER_STATEMENT_MAX,
      concurrency: 1,
      flush: async (ids) => {
        const { commands } = await store.readUnsettled(deps.pool, ids, UNSETTLED_MAX);
        const byExecutor = Map.groupBy(commands, (command) => command.executorId);
        return ids.map((id): readonly Command[] => byExecutor.get(id) ?? []);
      },
    });
  }

  /**
   * @throws INVALID_ARGUMENT for a Hello that cannot be used, PERMISSION_DENIED for a disabled executor and for a wire format
   * that is not supported, UNAVAILABLE while
   * Postgres is away.
   */
  async accept(
    caller: LinkCaller,
    hello: Hello,
    link: 'STREAM' | 'POLL',
    welcome: (session: ExecutorSession) => void,
  ): Promise<ExecutorSession> {
    if (this.#closed) throw unavailable('replica', 'this replica is stopping; connect to another');
    const helloMs = this.#deps.clock.nowMs();
    const offered = offerOf(caller.executorId, hello, link, helloMs);
    const build = { ...offered, executorName: caller.executorName };
    const offer = { ...offered, kinds: servedKinds(build, offered.kinds, this.#deps.contracts, helloMs) };
    try {
      const accepted = await this.#offers.add(offer);
      if (accepted instanceof Error) throw accepted;
      if (accepted === undefined) {
        throw new StatusError(
          'PermissionDenied',
          'EXECUTOR_DISABLED',
          `executor "${caller.executorName}" was disabled by an operator`,
          {
            metadata: { executor: caller.executorName },
          },
        );
      }
      return await this.#open({ ...caller, helloMs }, hello, offer, accepted, welcome);
    } catch (thrown) {
      if (isUnavailable(thrown))
        throw unavailable('postgres', 'the platform cannot reach its database; try again', thrown);
      throw thrown;
    }
  }

  /** Refuses links from now on. */
  close(): void {
    this.#closed = true;
  }

  async #open(
    caller: LinkCaller & { readonly helloMs: number },
    hello: Hello,
    offer: linkStore.StreamOffer,
    { epoch, takenOver }: linkStore.AcceptedStream,
    welcome: (session: ExecutorSession) => void,
  ): Promise<ExecutorSession> {
    const { registry, ledgers, logger } = this.#deps;
    const session = new ExecutorSession(
      { ...caller, ...offer, epoch, kinds: new Set(offer.kinds), takesPrices: hello.takesPrices },
      { ...this.#deps.session(caller.accountId), logger: logger.child({ executorId: caller.executorId, epoch }) },
    );
    const older = registry.get(caller.executorId);
    if (older !== undefined && older.identity.epoch > epoch) {
      session.end({
        type: 'superseded',
        epoch: older.identity.epoch,
        journalId: older.identity.journalId,
        host: older.identity.host,
      });
      return session;
    }
    older?.end({ type: 'superseded', epoch, journalId: offer.journalId, host: offer.host });
    // Registered before anything is read: what is committed from now on comes by the ledger, what was before by reading.
    registry.add(session);
    this.#deps.accepted(session);
    if (takenOver) {
      logger.warn(
        { executor: caller.executorName, host: offer.host, epoch },
        'another machine or journal took over a live stream',
      );
    }
    welcome(session);
    try {
      await ledgers.of(caller.accountId).sync();
      const [open, unsettled] = await Promise.all([
        this.#opens.add(caller.executorId),
        this.#unsettled.add(caller.executorId),
      ]);
      session.flow.merge(open);
      session.flow.begin(unsettled, journalOf(hello));
      session.ready = true;
    } catch (thrown) {
      session.end({ type: 'draining' });
      throw thrown;
    }
    return session;
  }

  async #flushOffers(offers: readonly linkStore.StreamOffer[]): Promise<OfferAnswer[]> {
    const answers: OfferAnswer[] = Array.from({ length: offers.length });
    // Two offers of one executor in one batch are two epochs: each round takes at most one of each.
    let rest = offers.map((offer, i) => ({ offer, i }));
    while (rest.length > 0) {
      const round = [...new Map(rest.toReversed().map((entry) => [entry.offer.executorId, entry])).values()];
      const accepted = await this.#acceptRound(round.map(({ offer }) => offer));
      for (const { offer, i } of round) answers[i] = accepted.get(offer.executorId);
      const taken = new Set(round.map(({ i }) => i));
      rest = rest.filter(({ i }) => !taken.has(i));
    }
    return answers;
  }

  /** At most one offer of each executor. What the database refuses to write of one agent never keeps out the others. */
  async #acceptRound(
    offers: readonly linkStore.StreamOffer[],
  ): Promise<ReadonlyMap<string, linkStore.AcceptedStream | Error>> {
    const { pool, replicaId, logger } = this.#deps;
    try {
      return await linkStore.acceptOffers(pool, replicaId, offers);
    } catch (thrown) {
      if (isAway(thrown) || offers.length === 1) throw thrown;
      logger.error({ err: thrown, offers: offers.length }, 'links could not be accepted together');
    }
    const outcomes = new Map<string, linkStore.AcceptedStream | Error>();
    for (const offer of offers) {
      try {
        const accepted = (await linkStore.acceptOffers(pool, replicaId, [offer])).get(offer.executorId);
        if (accepted !== undefined) outcomes.set(offer.executorId, accepted);
      } catch (thrown) {
        outcomes.set(offer.executorId, thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    }
    return outcomes;
  }

  /** All open commands of these executors; rows that cannot be read are set aside and never hide the others. */
  async #loadOpen(executorIds: readonly string[]): Promise<(readonly Command[])[]> {
    const byExecutor = new Map<string, Command[]>(executorIds.map((id) => [id, []]));
    for (let after = -1; ; ) {
      const read = await store.readOpen(this.#deps.pool, executorIds, after, OPEN_PAGE_COMMANDS);
      const unreadable = [...read.unreadable];
      for (const command of read.commands) {
        const defect = this.#deps.defectOf(command);
        if (defect === undefined) byExecutor.get(command.executorId)?.push(command);
        else unreadable.push({ ...command, defect });
      }
      if (unreadable.length > 0) this.#deps.setAside(unreadable);
      if (read.commands.length + read.unreadable.length < OPEN_PAGE_COMMANDS) break;
      after = Math.max(...read.commands.map((c) => c.sequence), ...read.unreadable.map((row) => row.sequence));
    }
    return executorIds.map((id) => byExecutor.get(id) ?? []);
  }
}
