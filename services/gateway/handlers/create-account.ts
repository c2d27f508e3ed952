import { invalidFields } from '../../platform/errors.ts';
import { issueBearer } from '../domain/bearer.ts';
import { nameViolations } from '../domain/name.ts';
import { FOUNDER_TOKEN_NAME, requireFoundingAccount } from '../domain/token.ts';
import { type AccessHandler, type AccessParts, operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** Opens an account with its first admin token. Founding account only. */
export function createAccount({ tokens, newTokenId, logger }: AccessParts): AccessHandler<'createAccount'> {
  return async (request, context) => {
    const caller = operatorOf(context);
    requireFoundingAccount(caller.accountId);
    const violations = nameViolations('account_id', request.accountId);
    if (violations.length > 0) throw invalidFields(violations);
    const { bearer, tokenId, secretDigest } = issueBearer(newTokenId());
    const founder = {
      id: tokenId,
      accountId: request.accountId,
      name: FOUNDER_TOKEN_NAME,
      role: 'admin',
      secretDigest,
    } as const;
    const token = await tokens.createAccount(founder);
    logger.info({ tokenId: token.id, account: token.accountId, by: caller.name }, 'account created');
    return { token: tokenMessage(token), bearer };
  };
}
