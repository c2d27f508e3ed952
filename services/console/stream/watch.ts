import { Code, ConnectError } from '@connectrpc/connect';
import { whenAwoken } from './awake.ts';
import { backoffMs } from './backoff.ts';
import { linkFound, linkLost } from './link-state.ts';

/** A stream that says something as soon as it is open, and then at least checkpoints, and what to do with what it brings. */
export interface WatchPlan<M> {
  /** Opens the stream from where the last one ended; called again after each loss. */
  readonly open: (signal: AbortSignal) => AsyncIterable<M>;
  readonly onMessage: (message: M) => void;
  /** The cursor that `open` resumes from is no longer kept: forget it and read everything again. */
  readonly onTooOld?: () => void;
  /** An answer that no repetition will change. */
  readonly onRefused?: (error: ConnectError) => void;
}

/** Checkpoints come every five seconds: silent for longer than this, a stream is dead whatever the browser thinks. */
const SILENCE_MS_MAX = 20_000;

/** A hidden page holds its streams for this long: over HTTP/1.1 a browser has six connections for all its pages. */
const HIDDEN_MS_MAX = 5_000;

const FINAL: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.FailedPrecondition,
]);

/** True for an answer that no repetition changes. */
export function isFinal(error: ConnectError): boolean {
  return FINAL.has(error.code);
}

/** Keeps a stream open through restarts of the gateway until the returned function is called. */
export function watch<M>(plan: WatchPlan<M>): () => void {
  const ended = new AbortController();
  void keepOpen(plan, ended.signal);
  return () => ended.abort();
}

async function keepOpen<M>(plan: WatchPlan<M>, ended: AbortSignal): Promise<void> {
  const self = Symbol('stream');
  let failures = 0;
  ended.addEventListener('abort', () => linkFound(self, 'given up'));
  while (!ended.aborted) {
    await untilVisible(ended);
    if (ended.aborted) return;
    const attempt = new AbortController();
    const end = (): void => attempt.abort();
    ended.addEventListener('abort', end);
    const stopWatchingHidden = whenHidden(HIDDEN_MS_MAX, end);
    const stopWatchingSleep = whenAwoken(end);
    try {
      for await (const message of withSilenceLimit(plan, attempt)) {
        failures = 0;
        linkFound(self, 'resumed');
        plan.onMessage(message);
      }
      // A server that stops ends its streams in good order; that is a loss all the same.
      failures += 1;
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      if (ended.aborted) return;
      if (error.code === Code.OutOfRange) plan.onTooOld?.();
      if (isFinal(error)) {
        linkFound(self, 'given up');
        plan.onRefused?.(error);
        return;
      }
      failures += 1;
    } finally {
      stopWatchingHidden();
      stopWatchingSleep();
      ended.removeEventListener('abort', end);
      attempt.abort();
    }
    if (ended.aborted) return;
    if (document.visibilityState === 'hidden') continue;
    linkLost(self);
    await pause(backoffMs(failures), ended);
  }
}

async function* withSilenceLimit<M>(plan: WatchPlan<M>, attempt: AbortController): AsyncGenerator<M> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => attempt.abort(), SILENCE_MS_MAX);
  };
  try {
    listen();
    for await (const message of plan.open(attempt.signal)) {
      listen();
      yield message;
    }
  } finally {
    clearTimeout(timer);
  }
}

function whenHidden(forMs: number, then: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(then, forMs);
  };
  document.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

function untilVisible(ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.visibilityState === 'hidden' && !ended.aborted) return;
      document.removeEventListener('visibilitychange', look);
      ended.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    ended.addEventListener('abort', look);
    look();
  });
}

function pause(forMs: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, forMs);
    // A laptop that is back on its network need not wait.
    globalThis.addEventListener('online', done);
    ended.addEventListener('abort', done);
  });
}
