import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { linkFound, linkLost } from '../stream/link-state.ts';
import { keepToken, readToken } from './token.ts';

/** A call that takes longer has lost its connection; long waits of the services end before. */
const UNARY_MS_MAX = 70_000;

/** Why the operator was signed out, for the sign-in page. */
let signedOutBecause = '';

export function whySignedOut(): string {
  return signedOutBecause;
}

const authorize: Interceptor = (next) => async (request) => {
  const token = readToken();
  if (token !== '' && !request.header.has('authorization')) request.header.set('authorization', `Bearer ${token}`);
  const look = (thrown: unknown): void => {
    const error = ConnectError.from(thrown);
    // A token that is being tried out is not the one that is signed in.
    const isPresent = request.header.get('authorization') === `Bearer ${readToken()}`;
    if (error.code === Code.Unauthenticated && isPresent && token !== '') {
      signedOutBecause = error.rawMessage;
      keepToken('');
    }
  };
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: looked(response.message, look) } : response;
  } catch (thrown) {
    look(thrown);
    throw thrown;
  }
};

/** A stream as it is, with a look at the error that it ends with: its token may be revoked while it is open. */
async function* looked<M>(messages: AsyncIterable<M>, look: (thrown: unknown) => void): AsyncGenerator<M> {
  try {
    yield* messages;
  } catch (thrown) {
    look(thrown);
    throw thrown;
  }
}

const CALLS = Symbol('calls');
const LOOK_MS = 1_000;
let looking = false;

async function gatewayAnswers(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

/** A call that reached nobody: the page says so until the gateway answers again. */
function gatewayGone(): void {
  linkLost(CALLS);
  if (looking) return;
  looking = true;
  const timer = setInterval(() => {
    void gatewayAnswers().then((answers) => {
      if (!answers || !looking) return false;
      clearInterval(timer);
      looking = false;
      linkFound(CALLS, 'resumed');
      return true;
    });
  }, LOOK_MS);
}

const noticeAbsence: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (thrown) {
    // The browser's own error, before any answer: nothing listens there.
    if (!request.stream && thrown instanceof ConnectError && thrown.cause instanceof TypeError) gatewayGone();
    throw thrown;
  }
};

/** Connect over the port that served the page. */
export const transport: Transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: true,
  defaultTimeoutMs: UNARY_MS_MAX,
  interceptors: [authorize, noticeAbsence],
});
