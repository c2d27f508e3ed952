import type { DescMethod } from '@bufbuild/protobuf';
import type { ContextValues } from '@connectrpc/connect';

/**
 * Checks a call before anything of it is read. Rejects with a StatusError to refuse it; what it resolves with is what
 * handlers find in `context.values`.
 */
export type Authenticate = (headers: Headers, method: DescMethod) => Promise<ContextValues | undefined>;
