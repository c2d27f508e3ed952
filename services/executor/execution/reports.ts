import { create } from '@bufbuild/protobuf';
import { CommandProgressSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type ExecutorEvent,
  type JournalEntry,
  JournalEntrySchema,
  NotFoundSchema,
  ProgressSchema,
  ReceivedSchema,
  StartedSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { LiveCommand } from './live-command.ts';
import type { OutgoingEvent } from './outbox.ts';

/** Approximate size of an event without a result. */
const PLAIN_EVENT_BYTES = 96;
const RECEIVED = create(ReceivedSchema);
const STARTED = create(StartedSchema);
const NOT_FOUND = create(NotFoundSchema);

function report(command: LiveCommand, event: ExecutorEvent['event'], bytes = PLAIN_EVENT_BYTES): OutgoingEvent {
  const { id, attempt, stageSince } = command;
  return { commandId: id, attempt, atMonotonicMs: stageSince.monotonicMs, bytes, event };
}

export function receivedEvent(command: LiveCommand): OutgoingEvent {
  return report(command, { case: 'received', value: RECEIVED });
}

export function startedEvent(command: LiveCommand): OutgoingEvent {
  return report(command, { case: 'started', value: STARTED });
}

export function progressEvent(
  command: LiveCommand,
  message: string,
  percent: number,
  atMonotonicMs: number,
): OutgoingEvent {
  const progress = create(CommandProgressSchema, { message: message.toWellFormed(), percent });
  const event = report(
    command,
    { case: 'progress', value: create(ProgressSchema, { progress }) },
    PLAIN_EVENT_BYTES + 3 * message.length,
  );
  return { ...event, atMonotonicMs };
}

/** What the platform may know of the command now; undefined while nothing of it is on disk. */
export function stateEvent(command: LiveCommand): OutgoingEvent | undefined {
  switch (command.stage) {
    case 'received':
    case 'starting':
      return command.durable ? receivedEvent(command) : undefined;
    case 'running':
      return startedEvent(command);
    case 'finished':
      return command.answer === undefined || !command.answerDurable
        ? undefined
        : report(command, { case: 'finished', value: command.answer }, PLAIN_EVENT_BYTES + command.answerBytes);
    default:
      return neverStage(command.stage);
  }
}

function neverStage(stage: never): never {
  throw new Error(`no command is in stage ${String(stage)}`);
}

export function notFoundEvent(commandId: string, atMonotonicMs: number): OutgoingEvent {
  return {
    commandId,
    attempt: 0,
    atMonotonicMs,
    bytes: PLAIN_EVENT_BYTES,
    event: { case: 'notFound', value: NOT_FOUND },
  };
}

/** The command as Hello lists it; undefined while its receipt is not on disk. */
export function journalEntryOf(command: LiveCommand): JournalEntry | undefined {
  if (!command.durable) return undefined;
  return create(JournalEntrySchema, { commandId: command.id, attempt: command.attempt, state: stateOf(command) });
}

function stateOf(command: LiveCommand): CommandState {
  if (command.stage === 'running') return CommandState.RUNNING;
  return command.answerDurable ? (command.answer?.state ?? CommandState.RECEIVED) : CommandState.RECEIVED;
}
