import { invalidFields } from '../../platform/errors.ts';
import { type AccessHandler, type AccessParts, operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** Ends a token of the caller's account, named by id or name. */
export function revokeToken({ tokens, forget, logger }: AccessParts): AccessHandler<'revokeToken'> {
  return async (request, context) => {
    const caller = operatorOf(context);
    if (request.token === '')
      throw invalidFields([{ field: 'token', description: 'is required: the id or name of a token' }]);
    const token = await tokens.revoke(caller.accountId, request.token);
    forget(token.id);
    logger.info({ tokenId: token.id, name: token.name, account: token.accountId, by: caller.name }, 'token revoked');
    return { token: tokenMessage(token) };
  };
}
