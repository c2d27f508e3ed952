import { Code, ConnectError } from '@connectrpc/connect';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import type { ExecutorName } from '../domain/halt.ts';
import type { PinnedStrategy } from '../domain/starting.ts';
import type { Upstream } from '../upstream.ts';
import type { Selection } from '../wire/start-request.ts';

const EXECUTORS_PER_PAGE = 1_000;
const ASKED_ONE_BY_ONE_MAX = 20;

/**
 * Every strategy at the exact revision that is to run, read from the strategy service now.
 * @throws FAILED_PRECONDITION (STRATEGY_UNUSABLE) naming every strategy that does not exist or was deleted.
 */
export async function pinStrategies(
  upstream: Upstream,
  accountId: string,
  selections: readonly Selection[],
): Promise<PinnedStrategy[]> {
  const read = await Promise.all(selections.map((selection) => pin(upstream, accountId, selection)));
  const unusable = read.filter((each) => typeof each === 'string');
  if (unusable.length > 0) {
    const named = selections.filter((_, index) => typeof read[index] === 'string').map(({ strategy }) => strategy);
    throw new StatusError('FailedPrecondition', 'STRATEGY_UNUSABLE', `${unusable.join('; ')}; nothing was started`, {
      metadata: { strategy: named.join(',') },
    });
  }
  return read.filter((each) => typeof each !== 'string');
}

/** The strategy, or a sentence that says why it cannot be used. */
async function pin(upstream: Upstream, accountId: string, selection: Selection): Promise<PinnedStrategy | string> {
  const { strategy: name, revision, symbols } = selection;
  try {
    const request = { strategy: name, revision: BigInt(revision) };
    const { strategy } = await upstream.strategies.getStrategy(request, upstream.as(accountId));
    if (strategy === undefined) return `strategy "${name}" came without its definition`;
    if (strategy.deleteTime !== undefined) return `strategy "${name}" was deleted by revision ${strategy.revision}`;
    return {
      strategyId: strategy.id,
      strategyName: strategy.definition?.strategyName ?? name,
      revision: Number(strategy.revision),
      symbols,
    };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.NotFound || error.code === Code.FailedPrecondition || error.code === Code.OutOfRange) {
      return `strategy "${name}" cannot be activated: ${error.rawMessage}`;
    }
    throw thrown;
  }
}

/** The executor of that name or id. @throws NOT_FOUND, and FAILED_PRECONDITION for one that is disabled. */
export async function findExecutor(upstream: Upstream, accountId: string, named: string): Promise<ExecutorName> {
  const { executor } = await upstream.executors.getExecutor({ executor: named }, upstream.as(accountId));
  if (executor === undefined) throw new Error('an executor was found and not told');
  if (executor.state === ExecutorState.DISABLED) {
    throw new StatusError('FailedPrecondition', 'EXECUTOR_DISABLED', `executor "${executor.name}" is disabled`, {
      metadata: { executor: executor.name },
    });
  }
  return { id: executor.id, name: executor.name };
}

/** The connected executor that carries all labels and has the least to do. @throws FAILED_PRECONDITION when there is none. */
export async function chooseExecutor(
  upstream: Upstream,
  accountId: string,
  labels: Readonly<Record<string, string>>,
): Promise<ExecutorName> {
  const executors = await Array.fromAsync(executorsOf(upstream, accountId, labels));
  const [best] = executors
    .filter(({ state }) => state === ExecutorState.ONLINE)
    .toSorted((a, b) => a.inFlight + a.queued - (b.inFlight + b.queued) || (a.name < b.name ? -1 : 1));
  if (best !== undefined) return { id: best.id, name: best.name };
  const wanted = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const found =
    executors.length === 0 ? 'no executor carries' : `${executors.length} executors, none of them connected, carry`;
  throw new StatusError('FailedPrecondition', 'EXECUTOR_UNAVAILABLE', `${found} the labels ${wanted}`, {
    metadata: { labels: wanted },
  });
}

/** All executors of the account that are not disabled. */
export async function listExecutors(upstream: Upstream, accountId: string): Promise<ExecutorName[]> {
  const executors = await Array.fromAsync(executorsOf(upstream, accountId));
  return executors.filter(({ state }) => state !== ExecutorState.DISABLED).map(({ id, name }) => ({ id, name }));
}

/** Which of the account's executors are connected; of many, for one question a page and not one each. */
export async function connectedOf(
  upstream: Upstream,
  accountId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const executors =
    ids.length > ASKED_ONE_BY_ONE_MAX
      ? await Array.fromAsync(executorsOf(upstream, accountId))
      : await Promise.all(ids.map((id) => findIfThere(upstream, accountId, id)));
  return new Set(executors.flatMap((each) => (each?.state === ExecutorState.ONLINE ? [each.id] : [])));
}

async function findIfThere(upstream: Upstream, accountId: string, id: string): Promise<Executor | undefined> {
  try {
    return (await upstream.executors.getExecutor({ executor: id }, upstream.as(accountId))).executor;
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
    return undefined;
  }
}

/** The account's executors by name, those that carry all labels, page by page. */
async function* executorsOf(
  upstream: Upstream,
  accountId: string,
  labels: Readonly<Record<string, string>> = {},
): AsyncGenerator<Executor> {
  for (let pageToken = ''; ; ) {
    const request = { labels: { ...labels }, pageSize: EXECUTORS_PER_PAGE, pageToken };
    const page = await upstream.executors.listExecutors(request, upstream.as(accountId));
    yield* page.executors;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
