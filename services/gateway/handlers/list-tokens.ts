import { type AccessHandler, type AccessParts, operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** All tokens of the caller's account, oldest first. */
export function listTokens({ tokens }: AccessParts): AccessHandler<'listTokens'> {
  return async (_request, context) => {
    const { accountId } = operatorOf(context);
    return { tokens: (await tokens.list(accountId)).map(tokenMessage) };
  };
}
