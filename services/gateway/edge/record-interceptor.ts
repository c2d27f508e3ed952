import { Code, ConnectError, type Interceptor, type StreamResponse, type UnaryResponse } from '@connectrpc/connect';
import { asError, StatusError } from '../../platform/errors.ts';
import { toConnectError } from '../../platform/grpc/status.ts';
import type { Logger } from '../../platform/logger.ts';
import { recordKey } from './call-record.ts';

/**
 * Turns what handlers throw into a status, remembers it for the log line, and ends unary calls at their deadline even when the
 * handler does not listen to its signal.
 */
export function recordInterceptor(logger: Logger): Interceptor {
  return (next) => async (request) => {
    const record = request.contextValues.get(recordKey);
    const failed = (thrown: unknown): Error => {
      const error = toConnectError(named(thrown), { requestId: record?.requestId ?? '', logger });
      return record?.failedWith(error) ?? error;
    };
    try {
      const response = request.stream ? await next(request) : await beforeAbort(next(request), request.signal);
      return response.stream ? { ...response, message: recorded(response.message, failed) } : response;
    } catch (thrown) {
      throw failed(thrown);
    }
  };
}

/** A deadline that passed in this process has no reason yet. */
function named(thrown: unknown): unknown {
  if (!(thrown instanceof ConnectError) || thrown.code !== Code.DeadlineExceeded || thrown.details.length > 0)
    return thrown;
  return new StatusError('DeadlineExceeded', 'DEADLINE_EXCEEDED', 'the call was not finished within its deadline', {
    cause: thrown,
  });
}

async function* recorded(
  messages: StreamResponse['message'],
  failed: (thrown: unknown) => Error,
): StreamResponse['message'] & AsyncGenerator<UnaryResponse['message']> {
  try {
    yield* messages;
  } catch (thrown) {
    throw failed(thrown);
  }
}

function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(asError(signal.reason));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
