import { type FieldViolation, invalidFields, notFound, StatusError } from '../../platform/errors.ts';
import type { Command } from '../domain/command.ts';
import type { IssueOutcome } from '../domain/command-desk.ts';
import { newCommandId } from '../domain/command-id.ts';
import type { Executor } from '../domain/executor.ts';
import type { IssueOrder } from '../domain/issue.ts';
import { orderOf, type ParsedIssue } from '../wire/issue-request.ts';
import type { CommandHandlerDependencies } from './dependencies.ts';

type Deps = Pick<CommandHandlerDependencies, 'desk' | 'reader' | 'directory'>;

/** Takes parsed requests to the desk: one outcome a request, in order, whatever becomes of the others. */
export async function issueParsed(
  deps: Deps,
  accountId: string,
  requests: readonly ParsedIssue[],
): Promise<readonly IssueOutcome[]> {
  const executors = await findExecutors(deps, accountId, requests);
  const settled = await settleAll(requests.map((request) => orderOrOutcome(deps, accountId, request, executors)));
  const orders = settled.filter((item): item is { order: IssueOrder } => 'order' in item).map(({ order }) => order);
  const issued = orders.length === 0 ? [] : await deps.desk.issue(orders);
  const rest = issued.values();
  return settled.map((item) => {
    if ('type' in item) return item;
    const outcome = rest.next().value;
    if (outcome === undefined) throw new Error('the desk gave fewer outcomes than it got orders');
    return outcome;
  });
}

async function findExecutors(
  { directory }: Deps,
  accountId: string,
  requests: readonly ParsedIssue[],
): Promise<ReadonlyMap<string, Executor | undefined>> {
  const names = new Set(requests.flatMap((request) => (request.type === 'refused' ? [] : [request.wish.executor])));
  return new Map(
    await Promise.all([...names].map(async (name) => [name, await directory.find(accountId, name)] as const)),
  );
}

type OrderOrOutcome = { readonly order: IssueOrder } | IssueOutcome;

/** Mostly nothing has to be read: a promise for each of 500 orders would be garbage of its own. */
async function settleAll(
  items: readonly (OrderOrOutcome | Promise<OrderOrOutcome>)[],
): Promise<readonly OrderOrOutcome[]> {
  const settled: OrderOrOutcome[] = [];
  for (const item of items) {
    if (item instanceof Promise) return Promise.all(items.map((one) => Promise.resolve(one)));
    settled.push(item);
  }
  return settled;
}

function orderOrOutcome(
  deps: Deps,
  accountId: string,
  request: ParsedIssue,
  executors: ReadonlyMap<string, Executor | undefined>,
): OrderOrOutcome | Promise<OrderOrOutcome> {
  if (request.type === 'refused') return { type: 'refused', error: invalidFields(request.violations) };
  const executor = executors.get(request.wish.executor);
  if (executor === undefined) return { type: 'refused', error: notFound('executor', request.wish.executor) };
  const order = orderOf(request.wish, { id: newCommandId(), accountId, executorId: executor.id });
  return request.type === 'wish' ? { order } : repeatedOrRefused(deps, order, request.violations);
}

async function repeatedOrRefused(
  deps: Deps,
  order: IssueOrder,
  violations: readonly FieldViolation[],
): Promise<IssueOutcome> {
  const repeated = await repeatedCommand(deps, order);
  if (repeated === undefined) return { type: 'refused', error: invalidFields(violations) };
  return { type: 'issued', command: repeated, already: true };
}

/**
 * The command that an earlier call with the same request_id and body made. For calls that would be refused today, but were
 * not when they were first made: a repeat gets the same answer.
 */
export async function repeatedCommand(
  { reader }: Pick<Deps, 'reader'>,
  order: IssueOrder,
): Promise<Command | undefined> {
  if (order.requestId === null || order.fingerprint === null) return undefined;
  const earlier = await reader.getByRequestId(order.accountId, order.requestId);
  if (earlier === undefined || earlier.fingerprint === null) return undefined;
  return Buffer.compare(earlier.fingerprint, order.fingerprint) === 0 ? earlier : undefined;
}

/** The command of an outcome. @throws the error of a refused one. */
export function commandOf(outcome: IssueOutcome | undefined): { readonly command: Command; readonly already: boolean } {
  if (outcome === undefined) throw new Error('the desk gave no outcome');
  if (outcome.type === 'refused') throw outcome.error;
  return outcome;
}

/** FAILED_PRECONDITION for a command whose state does not allow what was asked. */
export function illegalState(command: Command, message: string): StatusError {
  return new StatusError(
    'FailedPrecondition',
    'STATE_ILLEGAL',
    `command ${command.id} is ${command.state}: ${message}`,
    {
      metadata: { state: command.state },
    },
  );
}
