import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { HaltTarget } from '../domain/halt.ts';
import type { Upstream } from '../upstream.ts';

/** An answer that was on its way when the executor was disabled is stored by then, and counts. */
export const ANSWER_MS_MAX = 5_000;

/** Why an executor will never confirm a stop, in a sentence; undefined when it may. @throws ConnectError when nobody can say. */
export async function whyLost(
  upstream: Upstream,
  accountId: string,
  { executorId, executorName }: Pick<HaltTarget, 'executorId' | 'executorName'>,
  nowMs: number,
): Promise<string | undefined> {
  const unknown = 'nobody has confirmed the stop, and whether positions are open at its venue is not known: look there';
  try {
    const { executor } = await upstream.executors.getExecutor({ executor: executorId }, upstream.as(accountId));
    if (executor?.disableTime === undefined || nowMs - timestampMs(executor.disableTime) < ANSWER_MS_MAX) {
      return undefined;
    }
    return `executor ${executorName} was disabled; ${unknown}`;
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
    return `executor ${executorName} does not exist any more; ${unknown}`;
  }
}
