import { type ContextKey, createContextKey } from '@connectrpc/connect';
import { StatusError } from '../../platform/errors.ts';
import type { PresentedToken } from '../domain/bearer.ts';
import { checkPresented } from '../domain/token.ts';
import type { CallRecord } from './call-record.ts';
import type { TokenCache } from './token-cache.ts';

/** How often the token of an open watch is looked at again. */
const LOOK_MS = 1_000;
const NEVER: AbortSignal = new AbortController().signal;

/** Aborts when the token that a watch was opened with is one no more; its reason is what the watcher is told. */
export const grantEndsKey: ContextKey<AbortSignal> = createContextKey<AbortSignal>(NEVER, {
  description: 'end of the grant',
});

/** Looks at a token again and again until the call is over; what cannot be read now ends nothing. */
export function watchGrant(tokens: TokenCache, presented: PresentedToken, record: CallRecord): AbortSignal {
  const ends = new AbortController();
  const look = async (): Promise<void> => {
    try {
      checkPresented(presented, await tokens.find(presented.tokenId));
    } catch (thrown) {
      if (thrown instanceof StatusError && thrown.code === 'Unauthenticated') ends.abort(thrown);
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  record.onEnd(() => clearInterval(timer));
  return ends.signal;
}
