import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { HaltTarget } from '../domain/halt.ts';
import type { Upstream } from '../upstream.ts';

/** An answer that was on its way when the executor was disabled is stored by then, and counts. */
export const ANSWER_MS_MAX = 5_000;

/**
 * Which of the executors will never confirm a stop, by their ids, and why, in a sentence.
 * @throws ConnectError when nobody can say.
 */
export async function whyLost(
  upstream: Upstream,
  accountId: string,
  targets: readonly Pick<HaltTarget, 'executorId' | 'executorName'>[],
  nowMs: number,
): Promise<ReadonlyMap<string, string>> {
  const lost = new Map<string, string>();
  await Promise.all(
    targets.map(async ({ executorId, executorName }) => {
      const what = await whatBefell(upstream, accountId, executorId, nowMs);
      if (what === undefined) return;
      const sentence = `executor ${executorName} ${what}; nobody has confirmed the stop, and whether positions are open at its venue is not known: look there`;
      lost.set(executorId, sentence);
    }),
  );
  return lost;
}

async function whatBefell(
  upstream: Upstream,
  accountId: string,
  executorId: string,
  nowMs: number,
): Promise<'was disabled' | 'does not exist any more' | undefined> {
  try {
    const { executor } = await upstream.executors.getExecutor({ executor: executorId }, upstream.as(accountId));
    if (executor?.disableTime === undefined || nowMs - timestampMs(executor.disableTime) < ANSWER_MS_MAX) {
      return undefined;
    }
    return 'was disabled';
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
    return 'does not exist any more';
  }
}
