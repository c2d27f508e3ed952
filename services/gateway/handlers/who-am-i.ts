import type { AccessHandler } from './access-parts.ts';
import { operatorOf } from './access-parts.ts';
import { tokenMessage } from './token-message.ts';

/** The calling token itself. */
export function whoAmI(): AccessHandler<'whoAmI'> {
  return (_request, context) => ({ token: tokenMessage(operatorOf(context)) });
}
