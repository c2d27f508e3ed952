import { DisconnectPolicy } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { Logger } from '../../platform/logger.ts';
import type { Adapter, SessionPolicy } from '../adapters/adapter.ts';
import type { AgentClock } from '../agent-clock.ts';
import type { CommandFacts } from '../domain/command-facts.ts';
import type { Refusal } from '../domain/refusal.ts';
import { type ClockReading, unwatchedTime } from '../domain/start-deadline.ts';
import type { LossMemory } from './loss-file.ts';

/** Shorter than this, neither stream nor polling is no loss: links are remade all the time. */
const LOST_AFTER_MS = 3_000;

/** When each policy acts where the session does not say it. */
const ACTS_AFTER_MS: Partial<Record<DisconnectPolicy, number>> = {
  [DisconnectPolicy.REDUCE_ONLY]: LOST_AFTER_MS,
  [DisconnectPolicy.CANCEL_ORDERS]: 10_000,
  [DisconnectPolicy.FLATTEN]: 60_000,
};

export interface PlatformContactOptions {
  readonly adapter: Adapter;
  readonly clock: AgentClock;
  readonly logger: Logger;
  readonly memory: LossMemory;
  readonly onFatal: (thrown: unknown) => void;
}

type Contact =
  | { readonly kind: 'present' }
  /** Neither stream nor polling; nothing has been heard since. */
  | { readonly kind: 'lost'; readonly since: ClockReading }
  /** Another machine acts for this executor: the platform is there, only not for this agent. */
  | { readonly kind: 'standing_by' };

/**
 * Knows for how long the agent has been without the platform, across restarts, and has each session's disconnect policy
 * carried out when its time comes. Counted on clocks that never step.
 */
export class PlatformContact {
  readonly #options: PlatformContactOptions;
  #contact: Contact;
  #heard: ClockReading;
  /** Since when this process itself is without a link: after a restart it looks for one first. */
  #withoutLinkSince: ClockReading;
  #acting: Promise<void> | undefined;

  constructor(options: PlatformContactOptions) {
    this.#options = options;
    const { clock, memory } = options;
    const now = clock.reading();
    this.#heard = now;
    this.#withoutLinkSince = now;
    const before = memory.read();
    this.#contact = {
      kind: 'lost',
      since: before === undefined ? now : backBy(now, unwatchedTime(before, now).atLeastMs),
    };
    if (before === undefined) memory.write(now);
  }

  /** Anything that came from the platform. */
  heard(): void {
    this.#heard = this.#options.clock.reading();
  }

  /** A link is proven. */
  found(): void {
    this.heard();
    if (this.#contact.kind === 'present') return;
    this.#contact = { kind: 'present' };
    this.#options.memory.clear();
    this.#run(async () => this.#options.adapter.platformReturned?.());
  }

  /** There is no link any more. */
  lost(): void {
    if (this.#contact.kind !== 'present') return;
    this.#contact = { kind: 'lost', since: this.#heard };
    this.#withoutLinkSince = this.#options.clock.reading();
    this.#options.memory.write(this.#heard);
  }

  /** The platform gave this executor's link to another machine. */
  standBy(): void {
    this.#contact = { kind: 'standing_by' };
    this.#options.memory.clear();
  }

  /** Carries out what is due; to be called a few times a second. */
  tick(): void {
    const lostForMs = this.#lostForMs();
    if (lostForMs === undefined || this.#acting !== undefined) return;
    const due = this.#policies().filter((session) => !session.applied && lostForMs >= actsAfterMs(session));
    if (due.length === 0) return;
    this.#run(async () => {
      for (const { sessionId, policy } of due) {
        await this.#options.adapter.applyDisconnectPolicy?.(sessionId, lostForMs);
        this.#options.logger.warn(
          { sessionId, policy: DisconnectPolicy[policy], lostForMs: Math.round(lostForMs) },
          'platform lost, disconnect policy carried out',
        );
      }
    });
  }

  /** Why a command may not start while the platform is lost; undefined when it may. */
  refusalOf({ kind, sessionId }: Pick<CommandFacts, 'kind' | 'sessionId'>): Refusal | undefined {
    if (kind !== 'open_position') return undefined;
    const lostForMs = this.#lostForMs();
    if (lostForMs === undefined) return undefined;
    const session = this.#policies().find((candidate) => candidate.sessionId === sessionId);
    if (session === undefined || !(session.applied || session.policy === DisconnectPolicy.REDUCE_ONLY))
      return undefined;
    const policy = DisconnectPolicy[session.policy].toLowerCase();
    return {
      reason: 'PRECONDITION_FAILED',
      message: `the platform has not been heard for ${Math.round(lostForMs / 1_000)} s, and the session's disconnect policy is ${policy}: nothing is opened until it is back`,
      metadata: { precondition: 'disconnect_policy', disconnect_policy: policy },
    };
  }

  /** Resolves when nothing is being carried out any more. */
  async close(): Promise<void> {
    this.#contact = { kind: 'standing_by' };
    await this.#acting;
  }

  /** Undefined while the platform is there, or has been away too shortly to count. */
  #lostForMs(): number | undefined {
    if (this.#contact.kind !== 'lost') return undefined;
    const { since } = this.#contact;
    const now = this.#options.clock.reading();
    const searchingMs = now.monotonicMs - this.#withoutLinkSince.monotonicMs;
    return searchingMs >= LOST_AFTER_MS ? now.monotonicMs - since.monotonicMs : undefined;
  }

  #policies(): readonly SessionPolicy[] {
    const all = this.#options.adapter.disconnectPolicies?.() ?? [];
    return all.filter(({ policy }) => ACTS_AFTER_MS[policy] !== undefined);
  }

  #run(act: () => Promise<void>): void {
    const acting = (this.#acting ?? Promise.resolve())
      .then(act)
      .catch(this.#options.onFatal)
      .finally(() => {
        if (this.#acting === acting) this.#acting = undefined;
      });
    this.#acting = acting;
  }
}

function actsAfterMs({ policy, afterMs }: SessionPolicy): number {
  return afterMs ?? ACTS_AFTER_MS[policy] ?? Number.POSITIVE_INFINITY;
}

function backBy(now: ClockReading, ms: number): ClockReading {
  return { wallMs: now.wallMs - ms, uptimeMs: now.uptimeMs - ms, monotonicMs: now.monotonicMs - ms };
}
