import { useRef } from 'react';
import { isUnconfirmed } from '../parts/problem.tsx';

/**
 * Gives the idempotency key for a body. Pressed twice with the same body it is one key, also when the first press got no answer;
 * after a refusal, a success or a change it is another.
 */
export function useRequestId(): (
  body: string,
  last: { readonly error: unknown; readonly isSuccess: boolean },
) => string {
  const request = useRef({ body: '', id: '' });
  return (body, { error, isSuccess }) => {
    const refused = error !== null && !isUnconfirmed(error);
    if (request.current.body !== body || refused || isSuccess) request.current = { body, id: crypto.randomUUID() };
    return request.current.id;
  };
}
