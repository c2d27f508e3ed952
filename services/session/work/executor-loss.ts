import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../platform/clock.ts';
import type { HaltTarget } from '../domain/halt.ts';
import type { Upstream } from '../upstream.ts';

/** An answer that was on its way when the executor was disabled is stored by then, and counts. */
export const ANSWER_MS_MAX = 5_000;

/** Knows which executors will never confirm a stop. */
export class ExecutorLoss {
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  /** When this process first saw that an executor was disabled: its wall clock may be behind the time that is told. */
  readonly #seenMs = new Map<string, number>();

  constructor(upstream: Upstream, clock: Clock) {
    this.#upstream = upstream;
    this.#clock = clock;
  }

  /**
   * Those of the executors that are lost, by their ids, and why, in a sentence.
   * @throws ConnectError when nobody can say.
   */
  async whyLost(
    accountId: string,
    targets: readonly Pick<HaltTarget, 'executorId' | 'executorName'>[],
  ): Promise<ReadonlyMap<string, string>> {
    const lost = new Map<string, string>();
    await Promise.all(
      targets.map(async ({ executorId, executorName }) => {
        const what = await this.#whatBefell(accountId, executorId);
        if (what === undefined) return;
        const sentence = `executor ${executorName} ${what}; nobody has confirmed the stop, and whether positions are open at its venue is not known: look there`;
        lost.set(executorId, sentence);
      }),
    );
    return lost;
  }

  async #whatBefell(
    accountId: string,
    executorId: string,
  ): Promise<'was disabled' | 'does not exist any more' | undefined> {
    try {
      const { executor } = await this.#upstream.executors.getExecutor(
        { executor: executorId },
        this.#upstream.as(accountId),
      );
      if (executor?.disableTime === undefined || !this.#isOver(executorId, timestampMs(executor.disableTime))) {
        return undefined;
      }
      this.#seenMs.delete(executorId);
      return 'was disabled';
    } catch (thrown) {
      if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
      return 'does not exist any more';
    }
  }

  #isOver(executorId: string, disableMs: number): boolean {
    const steadyMs = this.#clock.steadyMs();
    const seenMs = this.#seenMs.get(executorId) ?? steadyMs;
    this.#seenMs.set(executorId, seenMs);
    return Math.max(this.#clock.nowMs() - disableMs, steadyMs - seenMs) >= ANSWER_MS_MAX;
  }
}
