import type { HandlerContext, MethodImpl } from '@connectrpc/connect';
import type { AccessService } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Logger } from '../../platform/logger.ts';
import { credentialInvalid, type Token } from '../domain/token.ts';
import type { TokenRepository } from '../domain/token-repository.ts';
import { operatorKey } from '../edge/gate-limits.ts';

/** What the handlers of AccessService work with. */
export interface AccessParts {
  readonly tokens: TokenRepository;
  readonly newTokenId: () => string;
  /** Makes a change of a token visible at once on this replica. */
  readonly forget: (tokenId: string) => void;
  readonly logger: Logger;
}

/** The implementation of one RPC of AccessService. */
export type AccessHandler<M extends keyof typeof AccessService.method> = MethodImpl<(typeof AccessService.method)[M]>;

/** The token that calls. @throws StatusError UNAUTHENTICATED when the gate has let none in. */
export function operatorOf(context: HandlerContext): Token {
  const token = context.values.get(operatorKey);
  if (token === undefined) throw credentialInvalid('this call carries no operator token');
  return token;
}
