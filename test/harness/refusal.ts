import { Code, ConnectError } from '@connectrpc/connect';
import { reasonOf } from '../../services/platform/grpc/status.ts';

/** The error with which a call is refused. @throws Error when it is not refused, and whatever is no refusal */
export async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof ConnectError) return thrown;
    throw thrown;
  }
  throw new Error('not refused');
}

/** Code and reason of it, such as "NotFound NOT_FOUND". @throws as `refusal` */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error = await refusal(call);
  return `${Code[error.code]} ${reasonOf(error)}`;
}
