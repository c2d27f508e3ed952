import { Code, ConnectError } from '@connectrpc/connect';

/** Checkpoints come within 5 s of each silence: a stream that says nothing for so long is dead, whoever answers its pings. */
const SILENCE_MS_MAX = 20_000;

/**
 * Passes a stream with checkpoints on until `ended`. Only the wait for a message counts as silence, not what its reader does.
 * @throws ConnectError UNAVAILABLE when nothing has come for `silenceMsMax`; what `open` throws
 */
export async function* whileHeard<M>(
  open: (signal: AbortSignal) => AsyncIterable<M>,
  ended: AbortSignal,
  silenceMsMax = SILENCE_MS_MAX,
): AsyncGenerator<M> {
  const attempt = new AbortController();
  const end = (): void => attempt.abort(ended.reason);
  ended.addEventListener('abort', end);
  let silent = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    timer = setTimeout(() => {
      silent = true;
      attempt.abort();
    }, silenceMsMax);
  };
  try {
    if (ended.aborted) return;
    listen();
    for await (const message of open(attempt.signal)) {
      clearTimeout(timer);
      yield message;
      listen();
    }
  } catch (thrown) {
    if (!silent) throw thrown;
  } finally {
    clearTimeout(timer);
    ended.removeEventListener('abort', end);
    attempt.abort();
  }
  if (silent) throw new ConnectError(`nothing has come for ${silenceMsMax / 1_000} s`, Code.Unavailable);
}
