import { timestampMs } from '@bufbuild/protobuf/wkt';
import colors from 'picocolors';
import { type Command, CommandState, type Transition } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { formatMs } from '../terminal/duration.ts';
import { usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { formatAge, formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';

/** "open_position" for the case `openPosition`. */
export function kindOf(command: Command): string {
  return (command.kind.case ?? 'unknown').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function isTerminal(state: CommandState): boolean {
  return state >= CommandState.SUCCEEDED;
}

const STATE_COLORS: Readonly<Partial<Record<CommandState, (text: string) => string>>> = {
  [CommandState.SUCCEEDED]: colors.green,
  [CommandState.FAILED]: colors.red,
  [CommandState.REJECTED]: colors.red,
  [CommandState.EXPIRED]: colors.yellow,
  [CommandState.CANCELLED]: colors.yellow,
  [CommandState.OUTCOME_UNKNOWN]: colors.magenta,
};

/** "SUCCEEDED", in the colour of how good that is. */
export function stateText(state: CommandState): string {
  return (STATE_COLORS[state] ?? colors.cyan)(CommandState[state] ?? String(state));
}

/** States from "pending", "PENDING", "outcome-unknown" or the full enum name, commas allowed. @throws CliError usage. */
export function parseStates(texts: readonly string[]): CommandState[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const name = text
        .trim()
        .toUpperCase()
        .replaceAll('-', '_')
        .replace(/^COMMAND_STATE_/, '');
      const state = NAMED_STATES.find(([known]) => known === name)?.[1];
      if (state === undefined) {
        const known = NAMED_STATES.map(([each]) => each.toLowerCase()).join(', ');
        throw usageError(`there is no state "${text}"; the states are ${known}`);
      }
      return state;
    });
}

const NAMED_STATES = Object.entries(CommandState).filter(
  (entry): entry is [string, CommandState] => typeof entry[1] === 'number' && entry[1] !== CommandState.UNSPECIFIED,
);

/** The error as one sentence with its reason and place; undefined when there is none. */
export function errorSentence(command: Command): string | undefined {
  const { error } = command;
  if (error === undefined) return undefined;
  const place = error.hop === '' ? '' : ` at ${error.hop}`;
  return `${error.message} [${ErrorReason[error.reason] ?? error.reason}${place}]`;
}

export const COMMAND_COLUMNS = ['ID', 'EXECUTOR', 'KIND', 'STATE', 'ATTEMPT', 'AGE', ''];

export function commandRow(command: Command): string[] {
  return [
    command.id,
    command.executorName,
    kindOf(command),
    stateText(command.state),
    `${command.attempt}/${command.attemptsMax}`,
    formatAge(command.createTime),
    clipped(lastWords(command)),
  ];
}

/** What is there to say of it: why it did not succeed, what its agent answered, or its note. */
function lastWords(command: Command): string {
  const summary = command.result?.summary ?? '';
  return errorSentence(command) ?? (summary === '' ? command.note : summary);
}

/** Everything that is known of one command, for people. */
export function showCommand(out: Output, command: Command): void {
  const { deadlines, result } = command;
  out.details([
    ['id', command.id],
    ['executor', `${command.executorName} ${colors.dim(command.executorId)}`],
    ['kind', kindOf(command)],
    ['state', stateText(command.state)],
    ['error', errorSentence(command)],
    ['result', result?.summary],
    ['payload', result?.payload],
    ['fills', result?.fills.map((fill) => `${fill.quantity} ${fill.symbol} at ${fill.price}`).join(', ')],
    ['note', command.note],
    ['attempt', `${command.attempt} of at most ${command.attemptsMax}`],
    ['ordering key', command.orderingKey],
    ['request id', command.requestId],
    ['retry of', command.retryOf],
    ['created', formatTime(command.createTime)],
    ['sent', withLag(command, command.sentTime)],
    ['received', withLag(command, command.receivedTime)],
    ['started', withLag(command, command.startTime)],
    ['finished', withLag(command, command.finishTime)],
    ['settled', settledText(command)],
    ['deliver by', isTerminal(command.state) ? undefined : formatTime(deadlines?.deliverBy)],
    ['not after', isTerminal(command.state) ? undefined : formatTime(deadlines?.notAfter)],
    ['finish by', isTerminal(command.state) ? undefined : formatTime(deadlines?.finishBy)],
  ]);
}

/** When it was settled, and by whose word. */
function settledText({ settleTime, settledBy }: Command): string | undefined {
  if (settleTime === undefined) return undefined;
  const by = settledBy === '' ? 'a late answer of the agent' : `operator ${settledBy}`;
  return `${formatTime(settleTime)} by ${by}`;
}

/** One step of a command's life. */
export function transitionText(step: Transition): string {
  const from = step.fromState === CommandState.UNSPECIFIED ? '' : `${valueName(CommandState, step.fromState)} → `;
  const reason = step.reason === ErrorReason.UNSPECIFIED ? '' : ` [${valueName(ErrorReason, step.reason)}]`;
  const message = step.message === '' ? '' : `: ${step.message}`;
  return `${colors.dim(formatTime(step.time) ?? '')}  ${from}${stateText(step.toState)}  ${step.cause}${message}${reason}`;
}

type Receipt = Command['sentTime'];

function withLag(command: Command, time: Receipt): string | undefined {
  if (time === undefined || command.createTime === undefined) return formatTime(time);
  const lagMs = timestampMs(time) - timestampMs(command.createTime);
  return `${formatTime(time)} ${colors.dim(`+${lagMs} ms`)}`;
}

/** A table's last column fits beside the others. */
const NOTE_CHARS_MAX = 80;

function clipped(text: string): string {
  return text.length <= NOTE_CHARS_MAX ? text : `${text.slice(0, NOTE_CHARS_MAX - 1)}…`;
}

/** "8.20ms", "82ms" or "3m7s" of a latency. */
export function latencyText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)}ms` : formatMs(ms);
}
