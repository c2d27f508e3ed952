import type { Finished } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { AgentClock } from '../agent-clock.ts';
import type { Adapter, AdapterCommand, ExecutionContext } from '../adapters/adapter.ts';
import { tagOf } from '../adapters/tag.ts';
import { encodeAnswer, isUnsettled, outcomeAnswer, outcomeUnknown, thrownAnswer } from './answers.ts';
import type { AbortCause, LiveCommand } from './live-command.ts';

/** An answer with its bytes for the journal. */
export interface EncodedAnswer {
  readonly finished: Finished;
  readonly bytes: Uint8Array;
}

/** What an execution reports. */
export interface ExecutionObserver {
  /** The command's end: once, at the latest shortly after its finish deadline. */
  onAnswer(answer: EncodedAnswer): void;
  /** What really happened, when the end had to be called before the adapter returned. */
  onLateAnswer(answer: EncodedAnswer): void;
  onProgress(message: string, percent: number): void;
}

/** Time that an adapter has after its deadline to say what happened before the outcome is called unknown. */
const ABORT_GRACE_MS = 250;
/** Progress of one command is passed on at most this often. */
const PROGRESS_INTERVAL_MS = 200;

/** The command as adapters see it; undefined for a kind that this build does not know. */
export function adapterCommand(command: LiveCommand): AdapterCommand | undefined {
  const { kind } = command.delivery;
  return kind.case === undefined ? undefined : { id: command.id, attempt: command.attempt, body: kind };
}

/**
 * Has the adapter execute a command. The returned function asks it to stop. The finish deadline is kept here: the signal
 * is aborted when it passes, and an adapter that does not return then leaves the outcome unknown until it does.
 */
export function startExecution(
  adapter: Adapter,
  command: LiveCommand,
  adapterView: AdapterCommand,
  clock: AgentClock,
  observer: ExecutionObserver,
): (cause: AbortCause) => void {
  const controller = new AbortController();
  let abortCause: AbortCause | undefined;
  let answered = false;
  const timers: (() => void)[] = [];

  const abort = (cause: AbortCause): void => {
    if (abortCause !== undefined) return;
    abortCause = cause;
    controller.abort(new Error(`aborted: ${cause}`));
  };
  const settle = (answer: EncodedAnswer): void => {
    for (const cancel of timers) cancel();
    command.executing = false;
    if (!answered) {
      answered = true;
      observer.onAnswer(answer);
    } else if (!isUnsettled(answer.finished)) {
      observer.onLateAnswer(answer);
    }
  };
  const callItUnknown = (): void => {
    if (answered) return;
    answered = true;
    const message = `still running when its ${command.finishWithinMs} ms were over, and it did not stop when told to`;
    observer.onAnswer(encoded(outcomeUnknown('FINISH_DEADLINE', message)));
  };
  if (command.finishWithinMs !== undefined) {
    const { finishWithinMs } = command;
    timers.push(clock.after(finishWithinMs, () => abort('finish_deadline')));
    timers.push(clock.after(finishWithinMs + ABORT_GRACE_MS, callItUnknown));
  }

  const context = createContext(command, clock, controller.signal, (message, percent) => {
    if (!answered) observer.onProgress(message, percent);
  });
  const failed = (thrown: unknown): void => {
    settle(encoded(thrownAnswer(thrown, controller.signal.reason, abortCause, command.supersededBy)));
  };
  const act = async (): Promise<EncodedAnswer> => encoded(outcomeAnswer(await adapter.execute(adapterView, context)));
  command.executing = true;
  act().then(settle, failed);
  return abort;
}

/** An answer with its bytes. @throws when an adapter's result is no message that can be encoded */
export function encoded(finished: Finished): EncodedAnswer {
  return { finished, bytes: encodeAnswer(finished) };
}

function createContext(
  command: LiveCommand,
  clock: AgentClock,
  signal: AbortSignal,
  onProgress: (message: string, percent: number) => void,
): ExecutionContext {
  const { progressWithin } = command.delivery;
  let lastProgressMs = Number.NEGATIVE_INFINITY;
  let pending: { message: string; percent: number } | undefined;
  const flush = (): void => {
    if (pending === undefined) return;
    lastProgressMs = clock.reading().monotonicMs;
    const { message, percent } = pending;
    pending = undefined;
    onProgress(message, percent);
  };
  return {
    signal,
    get tag() {
      return tagOf(command.id);
    },
    progressWithinMs: progressWithin === undefined ? undefined : durationMs(progressWithin),
    nowMs: () => clock.nowMs(),
    progress(message, percent = 0) {
      const scheduled = pending !== undefined;
      pending = { message, percent: Number.isFinite(percent) ? Math.round(Math.min(100, Math.max(0, percent))) : 0 };
      const waitMs = lastProgressMs + PROGRESS_INTERVAL_MS - clock.reading().monotonicMs;
      if (waitMs <= 0) flush();
      else if (!scheduled) clock.after(waitMs, flush);
    },
  };
}
