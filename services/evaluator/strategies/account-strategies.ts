import { toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type StrategyChange as ChangeMessage,
  ChangeType,
  type StrategyDefinition,
  StrategyDefinitionSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import { type CachedStrategy, StrategyCache, type StrategyChange } from '../domain/strategy-cache.ts';
import type { Neighbours } from '../upstream/neighbours.ts';

const RETRY = { firstMs: 50, maxMs: 1_000 } as const;
/** How long a change may wait for an earlier one before the log is read again. */
const GAP_MS_MAX = 100;

/** A definition in the two forms that are needed: read, and as it is stored. */
export interface Definition {
  readonly message: StrategyDefinition;
  readonly bytes: Uint8Array;
}

export function definitionOf(message: StrategyDefinition): Definition {
  return { message, bytes: toBinary(StrategyDefinitionSchema, message) };
}

export interface AccountStrategiesDependencies {
  readonly neighbours: Pick<Neighbours, 'strategy' | 'as'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly changed: (accountId: string, strategyId: string) => void;
  /** The cache has moved on, or has begun again. */
  readonly moved: (accountId: string) => void;
}

/**
 * Keeps one account's strategies as the strategy service has them. Hints bring changes at once; the change log, which is always
 * followed beside them, brings whatever a hint did not, and tells by checkpoints whether the result is right.
 */
export class AccountStrategies {
  readonly #accountId: string;
  readonly #deps: AccountStrategiesDependencies;
  readonly #cache: StrategyCache<Definition | undefined>;
  readonly #stop = new AbortController();
  #reading = new AbortController();
  #cancelGap: (() => void) | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(accountId: string, deps: AccountStrategiesDependencies) {
    this.#accountId = accountId;
    this.#deps = deps;
    this.#cache = new StrategyCache((strategyId) => deps.changed(accountId, strategyId));
  }

  get applied(): number {
    return this.#cache.applied;
  }

  get digest(): string {
    return this.#cache.digest;
  }

  get(strategyId: string): CachedStrategy<Definition | undefined> | undefined {
    return this.#cache.get(strategyId);
  }

  start(): void {
    this.#done = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#reading.abort();
    this.#cancelGap?.();
    await this.#done;
  }

  /** Takes a change that a hint has brought; what is another account's is nobody's here. */
  hint(message: ChangeMessage): void {
    if (message.accountId === this.#accountId) this.#offer(message);
  }

  /** Reads the log again from where the cache is: hints may be lost. */
  resync(): void {
    this.#reading.abort();
  }

  async #follow(): Promise<void> {
    const { neighbours, clock, logger } = this.#deps;
    for (let attempt = 0; !this.#stop.signal.aborted; ) {
      this.#reading = new AbortController();
      const { signal } = this.#reading;
      try {
        const request = { sinceRevision: BigInt(this.#cache.applied) };
        for await (const said of neighbours.strategy.watchChanges(request, neighbours.as(this.#accountId, signal))) {
          attempt = 0;
          if (said.change !== undefined) this.#offer(said.change);
          else this.#compare(Number(said.revision), said.digest);
          if (signal.aborted) break;
        }
      } catch (thrown) {
        if (!signal.aborted) {
          if (attempt === 0)
            logger.warn({ accountId: this.#accountId, reason: messageOf(thrown) }, 'strategies not followed');
          attempt += 1;
          if (thrown instanceof ConnectError && thrown.code === Code.OutOfRange)
            this.#begin('the log is shorter than the cache');
        }
      }
      if (!signal.aborted) await pause(clock, backoffMs(Math.max(1, attempt), RETRY), this.#stop.signal);
    }
  }

  #offer(message: ChangeMessage): void {
    const { strategy } = message;
    if (strategy === undefined || message.type === ChangeType.UNSPECIFIED) {
      this.#reminded(Number(message.revision), message.digest);
      return;
    }
    const deleted = message.type === ChangeType.DELETED;
    const change: StrategyChange<Definition | undefined> = {
      revision: Number(message.revision),
      strategyId: strategy.id,
      deleted,
      // What this release cannot read is a revision all the same: nobody can activate it, and nothing waits for it.
      definition: deleted || strategy.definition === undefined ? undefined : definitionOf(strategy.definition),
      digest: message.digest,
    };
    const offer = this.#cache.offer(change);
    switch (offer) {
      case 'applied':
        this.#deps.moved(this.#accountId);
        return;
      case 'duplicate':
        if (!this.#cache.agrees(change.revision, change.digest)) this.#begin('another digest at this revision');
        return;
      case 'held':
        this.#cancelGap ??= this.#deps.clock.after(GAP_MS_MAX, () => {
          this.#cancelGap = undefined;
          if (this.#cache.gap) this.resync();
        });
        return;
      case 'mismatch':
        this.#begin('another digest after a change');
        return;
      default:
        unknownOffer(offer);
    }
  }

  /** A checkpoint may be older than what a hint has brought meanwhile; then it says nothing. */
  #compare(revision: number, digest: string): void {
    if (!this.#cache.agrees(revision, digest)) this.#begin('another digest at a checkpoint');
  }

  /** A hint that only tells where the account stands. */
  #reminded(revision: number, digest: string): void {
    if (revision > this.#cache.applied) this.resync();
    else this.#compare(revision, digest);
  }

  #begin(reason: string): void {
    const { logger } = this.#deps;
    logger.warn({ accountId: this.#accountId, applied: this.#cache.applied, reason }, 'strategy cache begins again');
    this.#cache.reset();
    this.#deps.moved(this.#accountId);
    this.resync();
  }
}

function unknownOffer(offer: never): never {
  throw new Error(`no such offer: ${String(offer)}`);
}
