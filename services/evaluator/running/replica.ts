import type { Pool } from 'pg';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { isFlat } from '../domain/instance.ts';
import { isLive, type StoredInstance } from '../domain/stored-instance.ts';
import { failInstance, openOutcomes, storeProgress } from '../store/step-store.ts';
import type { FollowedAccounts } from '../strategies/followed-accounts.ts';
import type { OwnedInstance } from './owned-instance.ts';
import { mayRevise, type Runner } from './runner.ts';
import { NotRunnable, type StrategyShelf } from './strategy-shelf.ts';

/** How long the market may take to answer before an activation says so. */
const MARKET_ANSWER_MS_MAX = 5_000;
const RETRY = { firstMs: 100, maxMs: 1_000 } as const;
const PROGRESS_ROWS_MAX = 2_000;

export interface ReplicaDependencies {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownerId: string;
  readonly runner: Runner;
  readonly shelf: StrategyShelf;
  readonly followed: FollowedAccounts;
  /** Something that others wait for has changed in the account. */
  readonly changed: (accountId: string) => void;
}

/** What this replica does with the instances that it owns: applies what is wanted of them, and keeps them up to date. */
export class Replica {
  readonly #deps: ReplicaDependencies;
  /** Epochs of instances that are being made ready. */
  readonly #starting = new Map<string, number>();
  readonly #reading = new Set<string>();
  #stopped = false;

  constructor(deps: ReplicaDependencies) {
    this.#deps = deps;
    deps.followed.onChanged((accountId, strategyId) => this.#strategyChanged(accountId, strategyId));
    deps.runner.onSettled((instance) => this.#settled(instance));
  }

  /** Instances that are owned here, run or being made ready. */
  owned(): ReadonlyMap<string, number> {
    const running = this.#deps.runner.all().map(({ id, epoch }) => [id, epoch] as const);
    return new Map([...this.#starting, ...running]);
  }

  /** Takes over instances that were claimed. */
  take(rows: readonly StoredInstance[]): void {
    for (const row of rows) {
      this.#deps.followed.follow(row.accountId);
      if (this.#starting.get(row.id) === row.leaseEpoch) continue;
      if ((this.#deps.runner.get(row.id)?.epoch ?? row.leaseEpoch) < row.leaseEpoch) this.#deps.runner.remove(row.id);
      this.#starting.set(row.id, row.leaseEpoch);
      this.#start(row, 1);
    }
    for (const accountId of new Set(rows.map((row) => row.accountId))) this.readOutcomes(accountId);
  }

  /** Lets instances go that are not owned here any more, or are to be another's. */
  drop(ids: readonly string[]): void {
    for (const id of ids) {
      this.#starting.delete(id);
      this.#deps.runner.remove(id);
    }
  }

  /** Applies what somebody else has decided about instances that are run here. */
  control(rows: readonly StoredInstance[]): void {
    for (const row of rows) {
      const instance = this.#deps.runner.get(row.id);
      if (instance === undefined || instance.epoch !== row.leaseEpoch) continue;
      instance.paused = row.paused;
      instance.pinPolicy = row.pinPolicy;
      if (!isLive(row.status)) this.drop([row.id]);
      else if (row.status === 'CLOSING') this.#close(instance);
      else if (row.status === 'PENDING' && row.wantedRevision !== instance.wantedRevision) {
        instance.wantedRevision = row.wantedRevision;
        instance.status = 'PENDING';
        this.#follow(instance);
      }
    }
  }

  /** Applies outcomes that are stored and were not taken in yet: of one account, or of all. */
  readOutcomes(accountId: string | null): void {
    const key = accountId ?? '';
    if (this.#reading.has(key) || this.#stopped) return;
    this.#reading.add(key);
    this.#applyOutcomes(accountId)
      .catch((thrown: unknown) => this.#deps.logger.warn({ reason: messageOf(thrown) }, 'outcomes not read'))
      .finally(() => this.#reading.delete(key));
  }

  /** Stores how far instances have looked; those that turn out to be another's are let go. */
  async checkpoint(): Promise<void> {
    const { pool, ownerId, runner } = this.#deps;
    const progress = runner.progress();
    for (let from = 0; from < progress.length; from += PROGRESS_ROWS_MAX) {
      const part = progress.slice(from, from + PROGRESS_ROWS_MAX);
      // A step that is not stored yet must not be passed over by whoever takes the instance up from here.
      await runner.idle();
      const held = await storeProgress(pool, ownerId, part);
      for (const { id, epoch, sequence } of part) {
        const instance = runner.get(id);
        if (instance?.epoch !== epoch) continue;
        if (held.has(id)) instance.storedSequence = Math.max(instance.storedSequence, sequence);
        else this.drop([id]);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#starting.clear();
  }

  #start(row: StoredInstance, attempt: number): void {
    this.#ready(row).catch((thrown: unknown) => {
      if (this.#starting.get(row.id) !== row.leaseEpoch || this.#stopped) return;
      if (thrown instanceof NotRunnable) {
        this.#starting.delete(row.id);
        this.#fail(row, thrown.message);
        return;
      }
      const { logger, clock } = this.#deps;
      if (attempt === 1) logger.warn({ instanceId: row.id, reason: messageOf(thrown) }, 'instance not ready');
      clock.after(backoffMs(attempt, RETRY), () => {
        if (this.#starting.get(row.id) === row.leaseEpoch) this.#start(row, attempt + 1);
      });
    });
  }

  async #ready(row: StoredInstance): Promise<void> {
    const { shelf, runner } = this.#deps;
    if (row.status === 'FAILED') throw new NotRunnable(row.fault);
    const fresh = row.status === 'PENDING';
    const held = row.runningRevision > 0 && !isFlat(row.data.state);
    const revision = fresh && !held ? row.wantedRevision : row.runningRevision;
    const ready = await shelf.ready({ accountId: row.accountId, strategyId: row.strategyId, revision });
    if (fresh) await shelf.checkSource(row.accountId, row.symbol);
    if (this.#starting.get(row.id) !== row.leaseEpoch) return;
    const instance = runner.add(row, ready);
    this.#starting.delete(row.id);
    this.readOutcomes(row.accountId);
    if (fresh) await this.#confirm(instance);
    if (instance.status === 'CLOSING') this.#close(instance);
    this.#follow(instance);
  }

  /** ACTIVE is said when the market feeds what the instance looks at. */
  async #confirm(instance: OwnedInstance): Promise<void> {
    const { runner, clock } = this.#deps;
    const late = new Promise<string>((resolve) => {
      clock.after(MARKET_ANSWER_MS_MAX, () => resolve('the market service does not answer'));
    });
    const refusal = await Promise.race([runner.deskOf(instance).answer(), late]);
    if (runner.get(instance.id) !== instance) return;
    if (refusal === '') {
      instance.applied = true;
      runner.setStatus(instance, 'ACTIVE');
      return;
    }
    runner.setStatus(instance, 'FAILED', `no indicators of ${instance.symbol}: ${refusal}`);
    runner.remove(instance.id);
  }

  #fail(row: StoredInstance, fault: string): void {
    const { pool, ownerId, logger, changed } = this.#deps;
    logger.warn({ instanceId: row.id, fault }, 'instance cannot be run');
    failInstance(pool, ownerId, row.id, row.leaseEpoch, fault).then(
      () => changed(row.accountId),
      (thrown: unknown) => logger.error({ err: thrown, instanceId: row.id }, 'fault not stored'),
    );
  }

  async #applyOutcomes(accountId: string | null): Promise<void> {
    const { pool, ownerId, runner } = this.#deps;
    for (const { id, instanceId, body } of await openOutcomes(pool, ownerId, accountId)) {
      const instance = runner.get(instanceId);
      if (instance !== undefined) runner.outcome(instance, id, body);
    }
  }

  #strategyChanged(accountId: string, strategyId: string): void {
    for (const instance of this.#deps.runner.all()) {
      if (instance.accountId === accountId && instance.strategyId === strategyId) this.#follow(instance);
    }
  }

  #settled(instance: OwnedInstance): void {
    if (instance.status === 'CLOSING') this.#close(instance);
    else if (mayRevise(instance)) this.#follow(instance);
  }

  /** Lets the revision that is wanted take over as soon as nothing is open. */
  #follow(instance: OwnedInstance): void {
    const { followed, runner, logger } = this.#deps;
    if (!instance.applied || !mayRevise(instance) || instance.status === 'CLOSING') return;
    if (runner.get(instance.id) !== instance) return;
    const { accountId, strategyId } = instance;
    const newest = followed.get(accountId, strategyId)?.revision ?? 0;
    const follows = instance.pinPolicy === 'FOLLOW_LATEST';
    const revision = Math.max(instance.wantedRevision, follows ? newest : 0, follows ? instance.data.revision : 0);
    if (revision === instance.data.revision) {
      if (instance.status === 'PENDING' && instance.applied) runner.setStatus(instance, 'ACTIVE');
      return;
    }
    this.#takeOver(instance, revision).catch((thrown: unknown) => {
      logger.warn({ instanceId: instance.id, revision, reason: messageOf(thrown) }, 'edit not taken over');
      if (runner.get(instance.id) !== instance || !(thrown instanceof NotRunnable)) return;
      // It goes on with the revision that it runs, and says why not with the one that was wanted.
      runner.setStatus(instance, 'ACTIVE', thrown.message);
    });
  }

  async #takeOver(instance: OwnedInstance, revision: number): Promise<void> {
    const { runner, shelf } = this.#deps;
    const { accountId, strategyId } = instance;
    const ready = await shelf.ready({ accountId, strategyId, revision });
    if (runner.get(instance.id) !== instance || !mayRevise(instance) || instance.data.revision === revision) return;
    runner.revise(instance, ready, 'ACTIVE');
  }

  #close(instance: OwnedInstance): void {
    const { runner } = this.#deps;
    if (instance.status !== 'CLOSING') instance.status = 'CLOSING';
    if (!mayRevise(instance)) return;
    runner.giveUp(instance);
    if (runner.get(instance.id) !== instance) return;
    runner.setStatus(instance, 'INACTIVE');
    runner.remove(instance.id);
  }
}
