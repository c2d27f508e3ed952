import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Pool } from 'pg';
import { type Intent, IntentSchema } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Running } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/logger.ts';
import { pause } from '../../platform/pause.ts';
import { forgetIntents, waitingIntents } from '../store/step-store.ts';
import type { Neighbours } from '../upstream/neighbours.ts';

const INTENTS_PER_CALL_MAX = 500;
/** How often it is looked for intents that a replica has left behind, and how old they must be. */
const SWEEP_INTERVAL_MS = 1_000;
const LEFT_BEHIND_MS = 2_000;
const RETRY = { firstMs: 50, maxMs: 2_000 } as const;

export interface IntentSenderDependencies {
  readonly pool: Pool;
  readonly neighbours: Neighbours;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface AccountQueue {
  readonly waiting: Map<string, Intent>;
  running: Promise<void> | undefined;
}

/**
 * Hands what instances ask for to the session service until it is acknowledged. Only what is stored is handed over; whoever
 * hands it over, and however often, it is acted upon once.
 */
export class IntentSender implements Running {
  readonly #deps: IntentSenderDependencies;
  readonly #accounts = new Map<string, AccountQueue>();
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(deps: IntentSenderDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweep()
        .catch((thrown: unknown) => this.#deps.logger.warn({ reason: messageOf(thrown) }, 'intents not swept'))
        .finally(() => {
          this.#sweeping = undefined;
        });
    }, SWEEP_INTERVAL_MS);
  }

  /** Takes intents that are stored. */
  send(accountId: string, intents: readonly Intent[]): void {
    if (intents.length === 0 || this.#stop.signal.aborted) return;
    let queue = this.#accounts.get(accountId);
    if (queue === undefined) {
      queue = { waiting: new Map(), running: undefined };
      this.#accounts.set(accountId, queue);
    }
    for (const intent of intents) queue.waiting.set(intent.id, intent);
    queue.running ??= this.#loop(accountId, queue);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#sweeping;
    for (const { running } of this.#accounts.values()) await running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #sweep(): Promise<void> {
    const left = await waitingIntents(this.#deps.pool, null, LEFT_BEHIND_MS, INTENTS_PER_CALL_MAX);
    for (const { accountId, payload } of left) this.send(accountId, [fromBinary(IntentSchema, payload)]);
  }

  async #loop(accountId: string, queue: AccountQueue): Promise<void> {
    for (let attempt = 1; queue.waiting.size > 0 && !this.#stop.signal.aborted; ) {
      const intents = [...queue.waiting.values()].slice(0, INTENTS_PER_CALL_MAX);
      try {
        await this.#submit(accountId, intents);
        for (const { id } of intents) queue.waiting.delete(id);
        attempt = 1;
      } catch (thrown) {
        if (this.#stop.signal.aborted) break;
        if (attempt === 1) this.#deps.logger.warn({ accountId, reason: messageOf(thrown) }, 'intents not taken');
        if (isRefusal(thrown)) await this.#submitOneByOne(accountId, intents, queue);
        else await pause(this.#deps.clock, backoffMs(attempt++, RETRY), this.#stop.signal);
      }
    }
    queue.running = undefined;
  }

  async #submit(accountId: string, intents: readonly Intent[]): Promise<void> {
    const { neighbours, pool } = this.#deps;
    await neighbours.session.submitIntents({ intents: [...intents] }, neighbours.as(accountId, this.#stop.signal));
    await forgetIntents(
      pool,
      intents.map(({ id }) => id),
    );
  }

  /** One that is refused must not stop the others; it stays stored, and the sweep brings it again. */
  async #submitOneByOne(accountId: string, intents: readonly Intent[], queue: AccountQueue): Promise<void> {
    for (const intent of intents) {
      try {
        await this.#submit(accountId, [intent]);
      } catch (thrown) {
        if (!isRefusal(thrown)) return;
        this.#deps.logger.error({ intentId: intent.id, reason: messageOf(thrown) }, 'intent refused');
      }
      queue.waiting.delete(intent.id);
    }
  }
}

/** The session service has looked at it and will not have it. */
function isRefusal(thrown: unknown): boolean {
  return (
    thrown instanceof ConnectError &&
    [Code.InvalidArgument, Code.NotFound, Code.FailedPrecondition, Code.AlreadyExists].includes(thrown.code)
  );
}
