import { setTimeout as pause } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { CommandState, type Transition } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { CommandClient } from '../harness/clients.ts';
import type { HistoryRecord, RecordedStep } from './history-record.ts';

const RESUME_PAUSE_MS = 50;

/** Follows WatchCommands from the start of the history, and through every break of the stream by its last cursor. */
export class RecordedWatch {
  readonly name: string;
  readonly account: string;
  /** Events so far, and how often the stream had to be resumed. */
  events = 0;
  resumes = 0;
  readonly #client: CommandClient;
  readonly #add: (record: HistoryRecord) => void;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(name: string, account: string, client: CommandClient, add: (record: HistoryRecord) => void) {
    this.name = name;
    this.account = account;
    this.#client = client;
    this.#add = add;
    this.#done = this.#follow();
  }

  /** Ends the watch. @throws what ended it before, if that was no passing failure */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    let cursor = '';
    while (!this.#stop.signal.aborted) {
      try {
        const request = cursor === '' ? { fromStart: true } : { cursor };
        for await (const event of this.#client.watchCommands(request, { signal: this.#stop.signal })) {
          cursor = event.cursor;
          if (event.commandId === '') continue;
          this.events += 1;
          const { commandId, transitions } = event;
          const facts = { watcher: this.name, account: this.account, cursor, commandId };
          this.#add({ type: 'watched', ...facts, steps: transitions.map(stepOf) });
        }
      } catch (thrown) {
        if (this.#stop.signal.aborted) return;
        const { code } = ConnectError.from(thrown);
        // A cursor that is refused would be refused for ever.
        if (code === Code.InvalidArgument || code === Code.OutOfRange) throw thrown;
      }
      if (this.#stop.signal.aborted) return;
      this.resumes += 1;
      await pause(RESUME_PAUSE_MS);
    }
  }
}

function stepOf(transition: Transition): RecordedStep {
  const { fromState, toState, time, cause, reason, attempt, streamEpoch } = transition;
  return {
    from: stateName(fromState),
    to: stateName(toState),
    atMs: time === undefined ? 0 : Number(time.seconds) * 1_000 + time.nanos / 1_000_000,
    cause,
    ...(reason === ErrorReason.UNSPECIFIED ? {} : { reason: ErrorReason[reason] }),
    attempt,
    epoch: Number(streamEpoch),
  };
}

/** Empty for the state before the first step. */
export function stateName(state: CommandState): string {
  return state === CommandState.UNSPECIFIED ? '' : (CommandState[state] ?? String(state));
}
