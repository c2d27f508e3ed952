import { Batcher } from '../../platform/batcher.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { StoredStreams, StreamFacts } from '../store/link-store.ts';
import type { SessionRegistry } from './registry.ts';
import type { ExecutorSession } from './session.ts';

/** A lost doorbell costs at most this long: disabling must close a stream within a second. */
const REVIEW_INTERVAL_MS = 700;
/** Covers transactions that were under way during the last look. */
const LOOK_BACK_SECONDS = 5;
const REVIEWS_PER_STATEMENT_MAX = 500;

export interface ReviewerDependencies {
  readonly stored: StoredStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: SessionRegistry;
  /** Told after each look which executors had changed since the one before, and when it began. */
  readonly looked: (executorIds: readonly string[], atMs: number) => void;
}

/** Ends the streams that may not go on: superseded on another replica, disabled, or with a credential that has ended. */
export class StreamReviewer {
  readonly #deps: ReviewerDependencies;
  readonly #reviews: Batcher<string, undefined>;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  /** Changes that the last look saw: they stay in sight for a while, and a thousand that came at once are news once. */
  #seen: ReadonlyMap<string, string> = new Map();
  /** The change of each that was judged, and for which stream. */
  #judged = new Map<string, string>();

  constructor(deps: ReviewerDependencies) {
    this.#deps = deps;
    this.#reviews = new Batcher({
      itemsMax: REVIEWS_PER_STATEMENT_MAX,
      flush: async (executorIds) => {
        await this.#judge(await deps.stored.factsOf([...new Set(executorIds)]));
        return executorIds.map(() => undefined);
      },
    });
  }

  /** Reads the executor's row again, if its stream is held here. */
  review(executorId: string): void {
    if (this.#deps.registry.get(executorId) === undefined) return;
    this.#reviews.add(executorId).catch((thrown: unknown) => {
      this.#deps.logger.debug({ err: thrown, executorId }, 'review failed, the next look repeats it');
    });
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#looking) return;
      this.#looking = true;
      this.#look()
        .catch((thrown: unknown) => this.#deps.logger.debug({ err: thrown }, 'look at executors failed'))
        .finally(() => {
          this.#looking = false;
        });
    }, REVIEW_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reviews.stop();
  }

  async #look(): Promise<void> {
    const atMs = this.#deps.clock.steadyMs();
    const facts = await this.#deps.stored.changedWithin(LOOK_BACK_SECONDS);
    const news = facts.filter(({ executorId, change }) => this.#seen.get(executorId) !== change);
    this.#seen = new Map(facts.map(({ executorId, change }) => [executorId, change]));
    for (const executorId of this.#judged.keys()) if (!this.#seen.has(executorId)) this.#judged.delete(executorId);
    this.#deps.looked(
      news.map(({ executorId }) => executorId),
      atMs,
    );
    await this.#judge(facts);
  }

  async #judge(facts: readonly StreamFacts[]): Promise<void> {
    const { stored, clock, registry } = this.#deps;
    const changed = facts.flatMap((fact) => {
      const session = registry.get(fact.executorId);
      const judged = session === undefined || this.#judged.get(fact.executorId) === judgement(fact, session);
      return judged ? [] : [{ fact, session }];
    });
    if (changed.length === 0) return;
    const ends = await stored.credentialEnds(changed.map(({ session }) => session.identity.keyId));
    const suspects = changed.map(({ fact, session }) => {
      const endMs = ends.get(session.identity.keyId);
      return { fact, session, credentialEndMs: endMs === undefined ? clock.nowMs() : endMs };
    });
    const disabled = await this.#disabledSince(suspects);
    for (const suspect of suspects) {
      const { fact, session } = suspect;
      this.#judged.set(fact.executorId, judgement(fact, session));
      // Not before it is known whether the executor was disabled: the session ends itself by it.
      session.credentialEndMs = suspect.credentialEndMs;
      if (fact.disabled || disabled.has(fact.executorId)) session.end({ type: 'disabled' });
      else if (fact.epoch > session.identity.epoch) {
        session.end({ type: 'superseded', epoch: fact.epoch, journalId: fact.journalId ?? '', host: fact.host ?? '' });
      } else if (hasEnded(suspect, clock.nowMs())) {
        session.end({ type: 'credential_ended', keyId: session.identity.keyId });
      }
    }
  }

  /** Disabling ends the credentials too, and may have come between the look at an executor and the look at its credential. */
  async #disabledSince(suspects: readonly Suspect[]): Promise<ReadonlySet<string>> {
    const { stored, clock } = this.#deps;
    const ended = suspects.filter((suspect) => !suspect.fact.disabled && hasEnded(suspect, clock.nowMs()));
    if (ended.length === 0) return new Set();
    const facts = await stored.factsOf(ended.map(({ fact }) => fact.executorId));
    return new Set(facts.filter(({ disabled }) => disabled).map(({ executorId }) => executorId));
  }
}

/** A stream whose executor has changed since it was last judged. */
interface Suspect {
  readonly fact: StreamFacts;
  readonly session: ExecutorSession;
  readonly credentialEndMs: number | null;
}

function hasEnded({ credentialEndMs }: Suspect, nowMs: number): boolean {
  return credentialEndMs !== null && credentialEndMs <= nowMs;
}

/** What makes looking at a stream again pointless: the same stream, and nothing has changed. */
function judgement({ change }: StreamFacts, { identity }: ExecutorSession): string {
  return `${identity.epoch} ${change}`;
}
