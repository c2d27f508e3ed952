import type { DescMethod } from '@bufbuild/protobuf';
import type { ContextValues } from '@connectrpc/connect';

/** Headers of a request, as fetch Headers give them: null for one that is not there. Names are in lower case. */
export interface HeaderReader {
  get(name: string): string | null;
}

/**
 * Checks a call before anything of it is read. Rejects with a StatusError to refuse it; what it resolves with is what
 * handlers find in `context.values`.
 */
export type Authenticate = (headers: HeaderReader, method: DescMethod) => Promise<ContextValues | undefined>;
