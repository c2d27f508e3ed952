import type { Hello } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { reasonOf, toConnectError } from '../../platform/grpc/status.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { type NewRefusal, REFUSAL_REASONS } from '../domain/refusal.ts';
import type { LinkCaller } from './accept.ts';
import { plain } from './frames.ts';

/** An executor's refusals are written at most once within it. */
export const WRITE_INTERVAL_MS = 3_000;
/** Executors whose wrong secrets are written within one interval. */
export const UNPROVEN_ROWS_MAX = 100;
const ROWS_PER_STATEMENT_MAX = 500;

/** What an agent says of itself. */
type AgentWords = Pick<Hello, 'agentVersion' | 'contractDigest' | 'host'>;

export interface RefusalLogDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stores refusals of distinct executors. */
  readonly store: (refusals: readonly NewRefusal[]) => Promise<void>;
  /** Told whose executors have changed. */
  readonly stored: (accountId: string) => void;
}

/**
 * Remembers why agents are refused, so that one that calls does not look as if it were away. Who may have something
 * written here: whoever proves a credential of the executor, once in three seconds however often it calls; and who names
 * a key of it with a wrong secret, as often, for a hundred executors at once, and with nothing in it of his own choice. A
 * key that no executor has is never told to this log. So nobody from outside makes it write faster than that.
 */
export class RefusalLog implements Running {
  readonly #deps: RefusalLogDependencies;
  /** The latest of each executor that is not written yet; no more than there are executors. */
  #waiting = new Map<string, NewRefusal>();
  #unproven = 0;
  #roundMs = -Infinity;
  #round: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(deps: RefusalLogDependencies) {
    this.#deps = deps;
  }

  /** A call with the right secret failed: noted when that was a no to the caller, and not the platform's own trouble. */
  failed(caller: LinkCaller, link: 'STREAM' | 'POLL', hello: AgentWords | undefined, thrown: unknown): void {
    const error = toConnectError(thrown);
    const name = reasonOf(error);
    const reason = REFUSAL_REASONS.find((each) => each === name);
    if (reason === undefined) return;
    this.note({
      accountId: caller.accountId,
      executorId: caller.executorId,
      atMs: this.#deps.clock.nowMs(),
      reason,
      message: error.rawMessage,
      keyId: caller.keyId,
      isProven: true,
      link,
      agent:
        hello === undefined
          ? null
          : { version: hello.agentVersion, contractDigest: hello.contractDigest, host: hello.host },
    });
  }

  note(refusal: NewRefusal): void {
    if (this.#stopped) return;
    const { executorId, isProven } = refusal;
    const earlier = this.#waiting.get(executorId);
    if (!isProven) {
      if (earlier?.isProven === true || (earlier === undefined && this.#unproven >= UNPROVEN_ROWS_MAX)) return;
      if (earlier === undefined) this.#unproven += 1;
    }
    this.#waiting.set(executorId, storable(refusal));
    this.#schedule();
  }

  /** Writes what waits, and nothing afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
    await this.#write();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#round !== undefined) return;
    const restMs = this.#roundMs + WRITE_INTERVAL_MS - this.#deps.clock.nowMs();
    // A clock that was set back must not keep it waiting.
    const waitMs = Math.min(Math.max(0, restMs), WRITE_INTERVAL_MS);
    this.#cancel = this.#deps.clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#round = this.#write().finally(() => {
        this.#round = undefined;
        if (this.#waiting.size > 0 && !this.#stopped) this.#schedule();
      });
    });
  }

  /** What cannot be written is let go: an agent that is refused calls again. */
  async #write(): Promise<void> {
    this.#roundMs = this.#deps.clock.nowMs();
    const refusals = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#unproven = 0;
    for (let at = 0; at < refusals.length; at += ROWS_PER_STATEMENT_MAX) {
      const some = refusals.slice(at, at + ROWS_PER_STATEMENT_MAX);
      try {
        await this.#deps.store(some);
      } catch (thrown) {
        this.#deps.logger.warn({ refusals: some.length, fault: messageOf(thrown) }, 'refusals could not be stored');
        continue;
      }
      for (const accountId of new Set(some.map((refusal) => refusal.accountId))) this.#deps.stored(accountId);
    }
  }
}

/** Without what Postgres does not take, and of a bearable length: agents name themselves. */
function storable(refusal: NewRefusal): NewRefusal {
  const { agent, message } = refusal;
  if (agent === null) return { ...refusal, message: plain(message) };
  const version = plain(agent.version).slice(0, 64);
  const contractDigest = plain(agent.contractDigest).slice(0, 128);
  return {
    ...refusal,
    message: plain(message),
    agent: { version, contractDigest, host: plain(agent.host).slice(0, 255) },
  };
}
