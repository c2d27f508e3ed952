import { StatusError } from '../../platform/errors.ts';
import { type Command, isTerminal, type TerminalState } from './command.ts';

/** What an operator says became of a command whose outcome nobody knew, after a look at the venue. */
export interface OperatorWord {
  readonly happened: boolean;
  /** Name of the operator's token. */
  readonly by: string;
  /** What was seen at the venue. */
  readonly note: string;
  /** Serialized result with the fills that the operator named; null without any. */
  readonly result: Uint8Array | null;
}

/** What the word makes of a command: its end, what changes, and the sentence for its history, which names the operator. */
export interface Settlement {
  readonly state: TerminalState;
  readonly message: string;
  readonly changes: Partial<Command>;
}

export function settlementOf(word: OperatorWord, nowMs: number): Settlement {
  const { happened, by, note, result } = word;
  const message = `settled by ${by}, who saw ${happened ? 'its effect' : 'no effect of it'} at the venue: ${note}`;
  const error = {
    reason: 'NO_EFFECT_SEEN',
    message,
    hop: 'platform',
    retryable: false,
    metadata: { settled_by: by },
  } as const;
  return {
    state: stateOf(word),
    message,
    changes: { settleMs: nowMs, unsettled: false, settledBy: by, note, result, error: happened ? null : error },
  };
}

/** Whether an operator has said just that before: a repeated call is answered with what it did. */
export function isSaidAlready(command: Command, word: OperatorWord): boolean {
  return command.settledBy !== null && command.state === stateOf(word) && sameBytes(command.result, word.result);
}

/** Why the word is not taken; undefined when it can be. */
export function refusalToSettle(command: Command, word: OperatorWord): StatusError | undefined {
  if (command.unsettled) return undefined;
  const { id, state, settledBy } = command;
  return new StatusError('FailedPrecondition', 'STATE_ILLEGAL', `command ${id} is ${state}: ${whyNot(command, word)}`, {
    metadata: { state, ...(settledBy === null ? {} : { settled_by: settledBy }) },
  });
}

function whyNot(command: Command, word: OperatorWord): string {
  const { state, settledBy, settleMs } = command;
  if (!isTerminal(state)) return 'it has not ended, and its agent may still answer; wait for its end, or cancel it';
  if (settledBy !== null) {
    const how = state === stateOf(word) ? 'with other fills' : 'otherwise';
    return `${settledBy} has settled it ${how}, and that is final; what is wrong has to be put right at the venue`;
  }
  if (settleMs !== null) return 'a late answer of its agent has settled it, and stands; explain shows it';
  return 'its outcome is known, and there is nothing to settle; explain shows it';
}

function stateOf({ happened }: OperatorWord): TerminalState {
  return happened ? 'SUCCEEDED' : 'FAILED';
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
