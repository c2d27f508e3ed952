import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Pool } from 'pg';
import { StrategyDefinitionSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { compileStrategy } from '../domain/compiled-strategy.ts';
import { type DefinitionKey, storedDefinition, storeDefinition } from '../store/cache-store.ts';
import type { Definition } from '../strategies/account-strategies.ts';
import { definitionOf } from '../strategies/account-strategies.ts';
import type { FollowedAccounts } from '../strategies/followed-accounts.ts';
import type { Neighbours } from '../upstream/neighbours.ts';
import { rulesFromProto } from '../wire/rules-from-proto.ts';
import type { ReadyStrategy } from './owned-instance.ts';

/** Revisions that are kept ready; a replica rarely runs more at a time. */
const READY_MAX = 4_096;

/** Something that cannot be run, with the reason; another attempt would find the same. */
export class NotRunnable extends Error {
  override readonly name = 'NotRunnable';
}

/**
 * Strategies ready to run, by exact revision: from the cache where it has just that revision, otherwise from what was stored
 * when it was first run, otherwise from the strategy service.
 */
export class StrategyShelf {
  readonly #pool: Pool;
  readonly #neighbours: Neighbours;
  readonly #followed: FollowedAccounts;
  readonly #ready = new Map<string, Promise<ReadyStrategy>>();
  readonly #knownIndicators = new Set<string>();

  constructor(pool: Pool, neighbours: Neighbours, followed: FollowedAccounts) {
    this.#pool = pool;
    this.#neighbours = neighbours;
    this.#followed = followed;
  }

  /**
   * @throws NotRunnable when there is no such revision, or it names an indicator that nobody computes; anything else when
   * somebody who has to be asked is away.
   */
  ready(key: DefinitionKey): Promise<ReadyStrategy> {
    const name = `${key.accountId} ${key.strategyId} ${key.revision}`;
    let ready = this.#ready.get(name);
    if (ready === undefined) {
      ready = this.#prepare(key);
      const [oldest] = this.#ready.keys();
      if (this.#ready.size >= READY_MAX && oldest !== undefined) this.#ready.delete(oldest);
      this.#ready.set(name, ready);
      ready.catch(() => this.#ready.delete(name));
    }
    return ready;
  }

  /** @throws NotRunnable when no source feeds the symbol. */
  async checkSource(accountId: string, symbol: string): Promise<void> {
    const { market } = this.#neighbours;
    const { sources } = await market.listSources({ symbol, runningOnly: true }, this.#neighbours.as(accountId));
    if (sources.length === 0) throw new NotRunnable(`no market source feeds ${symbol}; start one, then activate again`);
  }

  async #prepare(key: DefinitionKey): Promise<ReadyStrategy> {
    const definition = await this.#find(key);
    const strategy = compileStrategy(rulesFromProto(definition.message));
    await this.#checkIndicators(key.accountId, strategy.indicatorIds);
    await storeDefinition(this.#pool, key, definition.bytes);
    return { revision: key.revision, strategy, definition };
  }

  async #find(key: DefinitionKey): Promise<Definition> {
    const cached = this.#followed.get(key.accountId, key.strategyId);
    if (cached?.revision === key.revision) {
      if (cached.definition !== undefined) return cached.definition;
      throw new NotRunnable(`revision ${key.revision} of strategy ${key.strategyId} cannot be read by this release`);
    }
    const stored = await storedDefinition(this.#pool, key);
    if (stored !== undefined) return definitionOf(fromBinary(StrategyDefinitionSchema, stored));
    return this.#ask(key);
  }

  async #ask({ accountId, strategyId, revision }: DefinitionKey): Promise<Definition> {
    const { strategy: client } = this.#neighbours;
    const unknown = `strategy ${strategyId} has no revision ${revision}`;
    try {
      const request = { strategy: strategyId, revision: BigInt(revision) };
      const { strategy } = await client.getStrategy(request, this.#neighbours.as(accountId));
      if (strategy?.definition === undefined || strategy.deleteTime !== undefined) throw new NotRunnable(unknown);
      // The strategy as of that revision of the account may be an older one of its own.
      if (strategy.id !== strategyId || Number(strategy.revision) !== revision) throw new NotRunnable(unknown);
      return definitionOf(strategy.definition);
    } catch (thrown) {
      if (!(thrown instanceof ConnectError)) throw thrown;
      if (thrown.code === Code.NotFound) throw new NotRunnable(`strategy ${strategyId} is not known to the account`);
      if (REFUSALS.has(thrown.code)) throw new NotRunnable(`${unknown}: ${thrown.rawMessage}`);
      throw new Error(`the strategy service does not answer: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  async #checkIndicators(accountId: string, ids: readonly string[]): Promise<void> {
    const asked = ids.filter((id) => !this.#knownIndicators.has(id));
    if (asked.length === 0) return;
    const { market } = this.#neighbours;
    const { checks } = await market.listIndicators({ ids: asked }, this.#neighbours.as(accountId));
    const faults: string[] = [];
    for (const [i, id] of asked.entries()) {
      const check = checks[i];
      if (check === undefined || check.normalisedId === '' || check.fault !== '') {
        faults.push(`indicator "${id}" is not known${check?.fault ? `: ${check.fault}` : ''}`);
      } else this.#knownIndicators.add(id);
    }
    if (faults.length > 0) throw new NotRunnable(faults.join('; '));
  }
}

const REFUSALS: ReadonlySet<Code> = new Set([Code.InvalidArgument, Code.OutOfRange, Code.FailedPrecondition]);
