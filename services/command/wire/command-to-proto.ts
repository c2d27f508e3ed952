import { create } from '@bufbuild/protobuf';
import {
  type CommandPayload,
  CommandSchema,
  CommandState,
  type Deadlines,
  DeadlinesSchema,
  type Transition,
  TransitionSchema,
  type Command as WireCommand,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { Command, Step } from '../domain/command.ts';
import { errorToProto } from './command-error.ts';
import { reasonNumber } from './error-reason.ts';
import { laneToProto } from './lane.ts';
import { readPayload } from './payload.ts';
import { stateToProto } from './state.ts';
import { readPreconditions, readProgress, readResult } from './stored-message.ts';
import { durationOf, timestampOf } from './time.ts';

/**
 * The command as callers see it. Never throws, whatever the row held: a payload or result that cannot be read is left out,
 * as is a time that proto JSON cannot express, and the quarantine tells what is wrong.
 */
export function commandToProto(command: Command, executorName: string): WireCommand {
  return create(CommandSchema, {
    id: command.id,
    executorId: command.executorId,
    executorName,
    kind: kindToProto(command),
    state: stateToProto(command.state),
    lane: laneToProto(command.lane),
    orderingKey: command.orderingKey,
    attempt: command.attempt,
    attemptsMax: command.attemptsMax,
    sequence: BigInt(command.sequence),
    requestId: command.requestId ?? '',
    retryOf: command.retryOf ?? '',
    note: command.note ?? '',
    settledBy: command.settledBy ?? '',
    error: command.error === null ? undefined : errorToProto(command.error),
    result: readResult(command.result),
    preconditions: readPreconditions(command.preconditions),
    progress: readProgress(command.progress),
    deadlines: deadlinesToProto(command),
    ...receiptsToProto(command),
  });
}

function kindToProto(command: Command): CommandPayload['kind'] {
  const payload = readPayload(command.kind, command.parameters);
  return payload.type === 'payload' ? payload.kind : { case: undefined };
}

function deadlinesToProto({ deadlines }: Command): Deadlines {
  return create(DeadlinesSchema, {
    deliverBy: timestampOf(deadlines.deliverByMs),
    receiveWithin: durationOf(deadlines.receiveWithinMs),
    startWithin: durationOf(deadlines.startWithinMs),
    progressWithin: durationOf(deadlines.progressWithinMs),
    finishWithin: durationOf(deadlines.finishWithinMs),
    finishBy: timestampOf(deadlines.finishByMs),
    notAfter: timestampOf(deadlines.notAfterMs),
  });
}

type Receipt = Extract<keyof WireCommand, `${string}Time`>;

function receiptsToProto(command: Command): Pick<WireCommand, Receipt> {
  return {
    createTime: timestampOf(command.createMs),
    sentTime: timestampOf(command.sentMs),
    receivedTime: timestampOf(command.receivedMs),
    startTime: timestampOf(command.startMs),
    progressTime: timestampOf(command.progressMs),
    finishTime: timestampOf(command.finishMs),
    cancelRequestTime: timestampOf(command.cancelRequestMs),
    settleTime: timestampOf(command.settleMs),
    dueTime: timestampOf(command.dueMs),
    retryTime: timestampOf(command.retryMs),
  };
}

/** One step of history. */
export function transitionToProto(step: Step): Transition {
  return create(TransitionSchema, {
    fromState: step.from === null ? CommandState.UNSPECIFIED : stateToProto(step.from),
    toState: stateToProto(step.to),
    time: timestampOf(step.atMs),
    cause: step.cause,
    reason: reasonNumber(step.reason ?? ''),
    message: step.message ?? '',
    attempt: step.attempt,
    streamEpoch: BigInt(step.epoch ?? 0),
  });
}
