import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { Lane } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { CommandDelivery, Finished } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { kindName } from '../adapters/command-kinds.ts';
import type { Scheduled } from '../domain/schedule.ts';
import type { ClockReading, StartBudget } from '../domain/start-deadline.ts';

/**
 * Where a command stands in this process.
 * - `received`: waits for its turn.
 * - `starting`: its turn has come; limits are being checked or the start is being journaled. The adapter knows nothing.
 * - `running`: the start is on disk and the adapter acts, or is being asked what became of it.
 * - `finished`: an answer stands, and waits for the platform to make it durable.
 */
export type LiveStage = 'received' | 'starting' | 'running' | 'finished';

/** Why a running command is asked to stop. */
export type AbortCause = 'cancelled' | 'superseded' | 'finish_deadline';

/** A command that the agent holds and whose answer the platform has not acknowledged. */
export interface LiveCommand extends Scheduled {
  readonly delivery: CommandDelivery;
  /** Name of the kind on the wire; empty for one that this build does not know. */
  readonly kind: string;
  readonly startBudget: StartBudget;
  /** Undefined when the platform set no limit. */
  readonly finishWithinMs: number | undefined;
  attempt: number;
  stage: LiveStage;
  /** The receipt is on disk, and was told if there is a link. */
  durable: boolean;
  /** Resolves when the receipt is on disk: start and answer wait for it too, should they be confirmed before it. */
  receipt: Promise<void> | undefined;
  /** When the stage was entered, on this process's clock; for the age of the events that report it. */
  stageSince: ClockReading;
  /** Stops the execution; undefined while there is none. */
  abort: ((cause: AbortCause) => void) | undefined;
  /** The adapter was called in this process and has not returned. */
  executing: boolean;
  /** The later stop that made it pointless, once there is one. */
  supersededBy: string | undefined;
  answer: Finished | undefined;
  answerBytes: number;
  /** The answer is on disk: only then may the platform hear it. */
  answerDurable: boolean;
  /** An earlier answer was reported and not acknowledged: the next acknowledgement is for that one. */
  earlierAnswerReported: boolean;
}

/** How long an answer is remembered when the platform does not say. */
const REMEMBER_MS_DEFAULT = 24 * 3_600_000;
/** Longest id that is taken; the platform's have 36 characters. */
const COMMAND_ID_CHARS_MAX = 128;

/** What keeps a delivery from being journaled at all; undefined for none. */
export function deliveryDefect(delivery: CommandDelivery): string | undefined {
  if (delivery.commandId === '') return 'command_id is empty';
  if (delivery.commandId.length > COMMAND_ID_CHARS_MAX)
    return `command_id has more than ${COMMAND_ID_CHARS_MAX} characters`;
  const sequence = Number(delivery.sequence);
  return Number.isSafeInteger(sequence) && sequence >= 0 ? undefined : `sequence ${delivery.sequence} is out of range`;
}

/** A command as it begins its life in this process, received but not on disk. */
export function createLiveCommand(delivery: CommandDelivery, startBudget: StartBudget): LiveCommand {
  return {
    id: delivery.commandId,
    sequence: Number(delivery.sequence),
    orderingKey: delivery.orderingKey,
    lane: delivery.lane === Lane.UNSPECIFIED ? Lane.NORMAL : delivery.lane,
    overtakes: delivery.overtakes,
    delivery,
    kind: kindName(delivery.kind.case),
    startBudget,
    finishWithinMs: delivery.finishWithin === undefined ? undefined : durationMs(delivery.finishWithin),
    attempt: delivery.attempt,
    stage: 'received',
    durable: false,
    receipt: undefined,
    stageSince: startBudget.since,
    abort: undefined,
    executing: false,
    supersededBy: undefined,
    answer: undefined,
    answerBytes: 0,
    answerDurable: false,
    earlierAnswerReported: false,
  };
}

/** Span in which the command may start, in milliseconds; Infinity where the platform set none. */
export function startWithinMs(delivery: CommandDelivery): number {
  return delivery.startWithin === undefined ? Number.POSITIVE_INFINITY : durationMs(delivery.startWithin);
}

/** The delivery with what is left of its time to start after `transitMs` on the way. */
export function afterTransit(delivery: CommandDelivery, transitMs: number): CommandDelivery {
  const { startWithin } = delivery;
  if (startWithin === undefined || transitMs <= 0) return delivery;
  return { ...delivery, startWithin: durationFromMs(Math.max(0, Math.floor(durationMs(startWithin) - transitMs))) };
}

/** How long the answer is kept after it was acknowledged: never less than the command itself may take. */
export function rememberForMs(delivery: CommandDelivery): number {
  const wanted = delivery.rememberFor === undefined ? REMEMBER_MS_DEFAULT : durationMs(delivery.rememberFor);
  return Math.max(wanted, delivery.finishWithin === undefined ? 0 : durationMs(delivery.finishWithin));
}

/** Resolves when both the command's receipt and `written` are on disk. */
export async function afterReceipt(command: LiveCommand, written: Promise<void>): Promise<void> {
  await written;
  if (!command.durable) await command.receipt;
}
