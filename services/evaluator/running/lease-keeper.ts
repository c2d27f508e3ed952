import type { Pool } from 'pg';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import {
  claim,
  controlled,
  forgetGone,
  leave,
  type Owner,
  ownedEpochs,
  readShares,
  release,
  renewLease,
} from '../store/lease-store.ts';
import type { Replica } from './replica.ts';
import type { Runner } from './runner.ts';

/** An owner that is not heard of for so long has lost what it had. */
const LEASE_TTL_MS = 3_000;
const HEARTBEAT_MS = 500;
/** How far back it is looked for decisions of others, so that a heartbeat that was late misses none. */
const CONTROL_BACK_MS = 5_000;
const CLAIM_ROWS_MAX = 1_000;
/** How many instances go to others in one round, so that they are not all between owners at once. */
const RELEASE_ROWS_MAX = 200;
/** Outcomes and progress are looked after in every second round. */
const ROUNDS_PER_SWEEP = 2;
const FORGET_MS = 60_000;

export interface LeaseKeeperDependencies {
  readonly pool: Pool;
  /** One connection for renewals alone: behind other statements, or behind a connection that is being made, they come too late. */
  readonly leasePool: Pool;
  readonly logger: Logger;
  readonly owner: Owner;
  readonly replica: Replica;
  readonly runner: Runner;
  /** Instances were released, for others to claim. */
  readonly released: (accountIds: ReadonlySet<string>) => void;
}

/**
 * Keeps this replica's lease, claims what nobody owns up to its fair share, and gives back what is above it. All of it by the
 * database's clock; a replica that was frozen finds out with its next heartbeat, and could not have written meanwhile.
 */
export class LeaseKeeper implements Running {
  readonly #deps: LeaseKeeperDependencies;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #rounds = 0;
  #renewedMs = 0;
  /** The lease had ended and has begun anew: what others claimed meanwhile is not known yet. */
  #unverified = false;
  #stopped = false;

  constructor(deps: LeaseKeeperDependencies) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { leasePool, owner } = this.#deps;
    await renewLease(leasePool, owner, LEASE_TTL_MS);
    this.#renewedMs = performance.now();
    this.#timer = setInterval(() => {
      this.#keep();
      this.look();
    }, HEARTBEAT_MS);
    this.look();
  }

  /** Does a round now; rings that come while one runs make one more. */
  look(): void {
    if (this.#stopped) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    this.#round = this.#beat()
      .catch((thrown: unknown) => this.#deps.logger.warn({ reason: messageOf(thrown) }, 'heartbeat failed'))
      .finally(() => {
        this.#round = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.look();
      });
  }

  /** Stores everything, then gives everything up at once, so that others need not wait for the lease to end. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    // One that came after leaving would take the lease again.
    await this.#renewal;
    await this.#round;
    const { pool, owner, runner, replica, released } = this.#deps;
    const accounts = new Set(runner.all().map(({ accountId }) => accountId));
    replica.stop();
    await runner.stop();
    await replica.checkpoint();
    await leave(pool, owner.ownerId);
    released(accounts);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Renews beside the rounds: their statements follow one another, and those of a slow database together outlast the lease. */
  #keep(): void {
    this.#renewal ??= this.#renew()
      .catch((thrown: unknown) => this.#deps.logger.warn({ reason: messageOf(thrown) }, 'lease not renewed'))
      .finally(() => {
        this.#renewal = undefined;
      });
  }

  async #renew(): Promise<void> {
    const { leasePool, owner } = this.#deps;
    const beganMs = performance.now();
    const lapsed = this.#hasLapsed();
    await renewLease(leasePool, owner, LEASE_TTL_MS);
    this.#renewedMs = beganMs;
    if (!lapsed) return;
    this.#unverified = true;
    this.look();
  }

  #hasLapsed(): boolean {
    return performance.now() - this.#renewedMs > LEASE_TTL_MS;
  }

  async #beat(): Promise<void> {
    const { pool, owner, replica } = this.#deps;
    // Without a lease there is nothing to share; the renewal looks again.
    if (this.#hasLapsed()) return;
    if (this.#unverified) {
      await this.#verify();
      this.#unverified = false;
    }
    await this.#share();
    replica.control(await controlled(pool, owner.ownerId, CONTROL_BACK_MS));
    this.#rounds += 1;
    if (this.#rounds % ROUNDS_PER_SWEEP !== 0) return;
    replica.readOutcomes(null);
    await replica.checkpoint();
    await forgetGone(pool, FORGET_MS);
  }

  async #share(): Promise<void> {
    const { pool, owner } = this.#deps;
    const { replicas, live, own } = await readShares(pool, owner.ownerId);
    const fair = Math.ceil(live / Math.max(1, replicas));
    if (own > fair) await this.#giveBack(own - fair);
    await this.#claim(Math.min(fair, live) - own);
  }

  async #claim(count: number): Promise<void> {
    const { pool, owner, replica, logger } = this.#deps;
    for (let room = count; room > 0; room -= CLAIM_ROWS_MAX) {
      const rows = await claim(pool, owner.ownerId, Math.min(room, CLAIM_ROWS_MAX));
      if (rows.length > 0) {
        logger.info({ instances: rows.length }, 'instances claimed');
        replica.take(rows);
      }
      if (rows.length < CLAIM_ROWS_MAX) return;
    }
  }

  /** Everything that was decided is stored before somebody else may go on from there. */
  async #giveBack(count: number): Promise<void> {
    const { pool, owner, replica, runner, released, logger } = this.#deps;
    const going = runner.all().slice(0, Math.min(count, RELEASE_ROWS_MAX));
    if (going.length === 0) return;
    await replica.checkpoint();
    const ids = going.map(({ id }) => id);
    replica.drop(ids);
    await runner.idle();
    await release(pool, owner.ownerId, ids);
    logger.info({ instances: ids.length }, 'instances given back');
    released(new Set(going.map(({ accountId }) => accountId)));
  }

  /** The lease had ended: what others have claimed meanwhile is theirs. */
  async #verify(): Promise<void> {
    const { pool, owner, replica, logger } = this.#deps;
    const epochs = await ownedEpochs(pool, owner.ownerId);
    const lost = [...replica.owned()].filter(([id, epoch]) => epochs.get(id) !== epoch).map(([id]) => id);
    logger.warn({ lost: lost.length }, 'lease had ended');
    replica.drop(lost);
  }
}
