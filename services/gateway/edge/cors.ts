import { cors as connectCors } from '@connectrpc/connect';
import { REQUEST_ID_HEADER } from '../../platform/identity.ts';
import type { EdgeRequest, EdgeResponse } from './listener.ts';
import { answerText } from './plain-answer.ts';

/** How long a browser may remember the answer to a preflight, in seconds. */
const PREFLIGHT_AGE_S = 7_200;
const ALLOWED_HEADERS = [...connectCors.allowedHeaders, 'authorization', REQUEST_ID_HEADER].join(', ');
const EXPOSED_HEADERS = [...connectCors.exposedHeaders, REQUEST_ID_HEADER].join(', ');

export interface Cors {
  /** Sets the headers of an allowed origin; true when the request was a preflight and is answered. */
  apply(request: EdgeRequest, response: EdgeResponse): boolean;
}

/** Scripts of the given origins may call the gateway from a browser; those of the gateway's own origin need no permission. */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  return {
    apply(request, response) {
      const { origin } = request.headers;
      const isAllowed = origin !== undefined && allowed.has(origin);
      if (allowed.size > 0) response.setHeader('vary', 'origin');
      if (isAllowed) {
        response.setHeader('access-control-allow-origin', origin);
        response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
      }
      if (request.method !== 'OPTIONS') return false;
      if (!isAllowed) {
        answerText(response, 403, 'this origin may not call the gateway from a browser; see STRATEGOS_CORS_ORIGINS\n');
        return true;
      }
      response.setHeader('access-control-allow-methods', connectCors.allowedMethods.join(', '));
      response.setHeader('access-control-allow-headers', ALLOWED_HEADERS);
      response.setHeader('access-control-max-age', String(PREFLIGHT_AGE_S));
      answerText(response, 204, '');
      return true;
    },
  };
}
