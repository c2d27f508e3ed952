import { fromBinary } from '@bufbuild/protobuf';
import type { Pool } from 'pg';
import { StrategyChangeSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import type { NatsLink } from '../../platform/nats/connection.ts';
import { strategyChangedSubjects, subjectId } from '../../platform/nats/subject.ts';
import type { CachedStrategy } from '../domain/strategy-cache.ts';
import { storeCaches } from '../store/cache-store.ts';
import { followedAccounts } from '../store/lease-store.ts';
import type { Neighbours } from '../upstream/neighbours.ts';
import { AccountStrategies, type Definition } from './account-strategies.ts';

/** How often the list of accounts is read again. */
const ACCOUNTS_INTERVAL_MS = 1_000;
/** Cache states of one window are told in one statement. */
const TELL_MS = 20;

export interface FollowedAccountsDependencies {
  readonly pool: Pool;
  readonly nats: NatsLink;
  readonly neighbours: Neighbours;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownerId: string;
}

/** The strategy caches of all accounts that have live instances, on this replica. */
export class FollowedAccounts implements Running {
  readonly #deps: FollowedAccountsDependencies;
  readonly #accounts = new Map<string, AccountStrategies>();
  readonly #untold = new Set<string>();
  readonly #unsubscribe: (() => void)[];
  #changed: (accountId: string, strategyId: string) => void = () => undefined;
  #telling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: FollowedAccountsDependencies) {
    this.#deps = deps;
    this.#unsubscribe = [
      deps.nats.subscribe(strategyChangedSubjects(), (subject, data) => this.#hint(subjectId(subject), data)),
      deps.nats.onReconnect(() => {
        for (const account of this.#accounts.values()) account.resync();
      }),
    ];
  }

  /** Tells of every strategy that changed. */
  onChanged(callback: (accountId: string, strategyId: string) => void): void {
    this.#changed = callback;
  }

  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => {
      this.look().catch((thrown: unknown) => {
        this.#deps.logger.warn({ reason: messageOf(thrown) }, 'followed accounts not read');
      });
    }, ACCOUNTS_INTERVAL_MS);
  }

  /** Reads which accounts have live instances. */
  async look(): Promise<void> {
    for (const accountId of await followedAccounts(this.#deps.pool)) this.follow(accountId);
  }

  /** Follows an account from now on. */
  follow(accountId: string): AccountStrategies {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const { neighbours, clock, logger } = this.#deps;
    const account = new AccountStrategies(accountId, {
      neighbours,
      clock,
      logger,
      changed: (id, strategyId) => this.#changed(id, strategyId),
      moved: (id) => this.#tell(id),
    });
    this.#accounts.set(accountId, account);
    if (this.#stopped) return account;
    account.start();
    this.#tell(accountId);
    return account;
  }

  /** The strategy as it is now; undefined when it is not followed, deleted or not known. */
  get(accountId: string, strategyId: string): CachedStrategy<Definition | undefined> | undefined {
    return this.#accounts.get(accountId)?.get(strategyId);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await Promise.all([...this.#accounts.values()].map((account) => account.stop()));
    await this.#telling;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #hint(accountId: string, data: Uint8Array): void {
    this.#accounts.get(accountId)?.hint(fromBinary(StrategyChangeSchema, data));
  }

  /** Publishes what was applied, so that everybody can compare it. */
  #tell(accountId: string): void {
    this.#untold.add(accountId);
    this.#telling ??= new Promise<void>((resolve) => setTimeout(resolve, TELL_MS))
      .then(() => this.#tellAll())
      .catch((thrown: unknown) => {
        this.#deps.logger.warn({ reason: messageOf(thrown) }, 'cache state not told');
      })
      .finally(() => {
        this.#telling = undefined;
        if (this.#untold.size > 0 && !this.#stopped) for (const id of this.#untold) this.#tell(id);
      });
  }

  async #tellAll(): Promise<void> {
    const accounts = [...this.#untold];
    this.#untold.clear();
    const notes = accounts.flatMap((accountId) => {
      const account = this.#accounts.get(accountId);
      return account === undefined ? [] : [{ accountId, appliedRevision: account.applied, digest: account.digest }];
    });
    try {
      await storeCaches(this.#deps.pool, this.#deps.ownerId, notes);
    } catch (thrown) {
      for (const accountId of accounts) this.#untold.add(accountId);
      throw thrown;
    }
  }
}
