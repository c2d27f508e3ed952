import { invalidFields } from '../../platform/errors.ts';
import { tokenReferenceViolations } from '../domain/name.ts';
import { type AccessHandler, type AccessParts, operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** Ends a token of the caller's account, named by id or name. */
export function revokeToken({ tokens, forget, logger }: AccessParts): AccessHandler<'revokeToken'> {
  return async (request, context) => {
    const caller = operatorOf(context);
    const violations = tokenReferenceViolations('token', request.token);
    if (violations.length > 0) throw invalidFields(violations);
    const token = await tokens.revoke(caller.accountId, request.token);
    forget(token.id);
    logger.info({ tokenId: token.id, name: token.name, account: token.accountId, by: caller.name }, 'token revoked');
    return { token: tokenMessage(token) };
  };
}
