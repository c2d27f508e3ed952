import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandDeliverySchema,
  type Finished,
  FinishedSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { isEntryKind } from '../domain/kinds.ts';
import { budgetAfterRestart, type ClockReading, unwatchedTime } from '../domain/start-deadline.ts';
import type { DamagedEntry, JournalEntry } from '../journal/journal.ts';
import { encoded } from './execution.ts';
import { outcomeUnknown } from './answers.ts';
import { createLiveCommand, type LiveCommand, rememberForMs, startWithinMs } from './live-command.ts';

/**
 * A command as the journal remembers it, with the time that it lost while nobody watched; or what is wrong with its bytes.
 * A running one comes back as `running`: its start is on disk, and the adapter has to be asked.
 */
export function restoreCommand(entry: JournalEntry, now: ClockReading): LiveCommand | DamagedEntry {
  try {
    const delivery = fromBinary(CommandDeliverySchema, entry.delivery);
    if (delivery.commandId !== entry.commandId && entry.kind !== '')
      throw new Error('the delivery is of another command');
    const budget = budgetAfterRestart(startWithinMs(delivery), entry.receivedAt, now, isEntryKind(entry.kind));
    const command = createLiveCommand({ ...delivery, commandId: entry.commandId, attempt: entry.attempt }, budget);
    command.durable = true;
    command.stage = entry.stage;
    const since = { received: entry.receivedAt, running: entry.startedAt, finished: entry.finishedAt }[entry.stage];
    const agoMs = since === undefined ? 0 : unwatchedTime(since, now).atLeastMs;
    command.stageSince = { ...now, monotonicMs: now.monotonicMs - agoMs };
    if (entry.answer !== undefined) {
      const answer = fromBinary(FinishedSchema, entry.answer);
      if (answer.state < CommandState.SUCCEEDED) throw new Error('the answer is no end');
      command.answer = answer;
      command.answerBytes = entry.answer.length;
      command.answerDurable = true;
    }
    return command;
  } catch (thrown) {
    const { commandId, attempt } = entry;
    return { commandId, attempt, defect: `its bytes cannot be read: ${messageOf(thrown)}` };
  }
}

/** What stands in for a damaged entry: finished, with an outcome that nobody can tell any more. */
export function replaceDamaged(damaged: DamagedEntry, now: ClockReading): { command: LiveCommand; answer: Finished } {
  const { commandId, attempt, defect } = damaged;
  const message = `the agent's journal entry of this command is damaged (${defect}): look at the venue for its effect`;
  const answer = encoded(outcomeUnknown('EFFECT_UNCERTAIN', message));
  const delivery = create(CommandDeliverySchema, { commandId, attempt });
  const command = createLiveCommand(delivery, { remainingMs: 0, since: now });
  command.stage = 'finished';
  command.durable = true;
  command.answer = answer.finished;
  command.answerBytes = answer.bytes.length;
  return { command, answer: answer.finished };
}

/** A command as it is journaled at its receipt. */
export function journalEntry(command: LiveCommand, now: ClockReading): JournalEntry {
  return {
    commandId: command.id,
    sequence: command.sequence,
    attempt: command.attempt,
    orderingKey: command.orderingKey,
    kind: command.kind,
    delivery: toBinary(CommandDeliverySchema, command.delivery),
    stage: 'received',
    receivedAt: now,
    acknowledged: false,
    rememberForMs: rememberForMs(command.delivery),
  };
}
