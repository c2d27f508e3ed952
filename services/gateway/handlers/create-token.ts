import { invalidFields } from '../../platform/errors.ts';
import { issueBearer } from '../domain/bearer.ts';
import { nameViolations } from '../domain/name.ts';
import { accountForNewToken, newTokenViolations } from '../domain/token.ts';
import { roleOf } from '../edge/method-policy.ts';
import { type AccessHandler, type AccessParts, operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** Makes a token; its bearer is in the response and nowhere else. */
export function createToken({ tokens, newTokenId, logger }: AccessParts): AccessHandler<'createToken'> {
  return async (request, context) => {
    const caller = operatorOf(context);
    const role = roleOf(request.role);
    const violations = newTokenViolations({ name: request.name, role });
    if (request.accountId !== '') violations.push(...nameViolations('account_id', request.accountId));
    if (violations.length > 0 || role === undefined) throw invalidFields(violations);
    const accountId = accountForNewToken(caller.accountId, request.accountId);
    const { bearer, tokenId, secretDigest } = issueBearer(newTokenId());
    const token = await tokens.create({ id: tokenId, accountId, name: request.name, role, secretDigest });
    logger.info({ tokenId: token.id, name: token.name, account: accountId, role, by: caller.name }, 'token created');
    return { token: tokenMessage(token), bearer };
  };
}
