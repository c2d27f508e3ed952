import type { HandlerContext } from '@connectrpc/connect';
import { notFound } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { REQUEST_ID_HEADER } from '../../platform/identity.ts';
import type { Asker } from '../domain/neighbours.ts';
import type { StrategyBook } from '../domain/strategy-book.ts';

/** On whose behalf a call asks other services. */
export function askerOf(context: HandlerContext): Asker {
  return { accountId: callerOf(context).accountId, requestId: context.requestHeader.get(REQUEST_ID_HEADER) ?? '' };
}

/** The id of the strategy that is named. @throws NOT_FOUND. */
export async function strategyIdOf(book: StrategyBook, accountId: string, nameOrId: string): Promise<string> {
  const id = await book.find(accountId, nameOrId);
  if (id === undefined) throw notFound('strategy', nameOrId);
  return id;
}
