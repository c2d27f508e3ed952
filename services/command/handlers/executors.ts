import type { Executor as WireExecutor } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { notFound } from '../../platform/errors.ts';
import type { ExecutorBook } from '../domain/executor-book.ts';
import { executorToProto } from '../wire/executor-to-proto.ts';

/** The executor as it is stored right now. @throws NOT_FOUND for one that the account does not have. */
export async function presentExecutor(book: ExecutorBook, accountId: string, id: string): Promise<WireExecutor> {
  const [view] = await book.views(accountId, [id]);
  if (view === undefined) throw notFound('executor', id);
  return executorToProto(view);
}
