import { fromBinary } from '@bufbuild/protobuf';
import { Lane, PreconditionsSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandBatchSchema,
  CommandDeliverySchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { EncodedMessage } from '../../platform/grpc/encoded-message.ts';
import { MessageBytes } from '../../platform/grpc/message-bytes.ts';
import type { Command } from '../domain/command.ts';
import { isKind, policyOf } from '../domain/kind.ts';
import { payloadDefect } from '../wire/payload.ts';

const LANES = { 1: Lane.NORMAL, 2: Lane.HIGH, 3: Lane.CRITICAL } as const;
/** Longer than any command lives after its delivery. */
const REMEMBER_EXTRA_MS = 24 * 3_600_000;

const delivery = CommandDeliverySchema.field;
const batch = CommandBatchSchema.field;
const response = ConnectResponseSchema.field;
const written = new MessageBytes();

/**
 * A CommandDelivery in its binary form, its fields in the order of their numbers. The stored payload holds the kind under the
 * same number as a delivery does, so it is put in as it is: nothing is decoded to be encoded again.
 */
export function deliveryBytes(command: Command, nowMs: number): Buffer {
  const { deadlines } = command;
  const { startWithinMs, finishByMs, notAfterMs, progressWithinMs } = deadlines;
  written.begin();
  written.text(delivery.commandId.number, command.id);
  written.whole(delivery.attempt.number, command.attempt);
  written.whole(delivery.sequence.number, command.sequence);
  written.text(delivery.orderingKey.number, command.orderingKey);
  written.fields(command.parameters);
  written.ms(delivery.createTime.number, command.createMs);
  written.ms(
    delivery.startWithin.number,
    span(Math.min(startWithinMs, (notAfterMs ?? Infinity) - nowMs, finishByMs - nowMs)),
  );
  if (progressWithinMs !== null) written.ms(delivery.progressWithin.number, span(progressWithinMs));
  written.ms(delivery.finishWithin.number, span(deadlines.finishWithinMs));
  if (command.preconditions !== null) written.message(delivery.preconditions.number, command.preconditions);
  written.ms(delivery.rememberFor.number, span(finishByMs - nowMs + REMEMBER_EXTRA_MS));
  written.whole(delivery.lane.number, LANES[command.lane]);
  written.flag(delivery.overtakes.number, isKind(command.kind) && policyOf(command.kind).overtakes);
  return written.take();
}

function span(ms: number): number {
  return Math.max(0, Math.round(ms));
}

/**
 * Looks at what is put in as it is stored. Anything beside a kind would be taken for a field of the delivery.
 * @throws Error naming the column that is to blame.
 */
export function checkStored({ kind, parameters, preconditions }: Command): void {
  const defect = payloadDefect(kind, parameters);
  if (defect !== undefined) throw new Error(defect);
  if (preconditions === null) return;
  try {
    fromBinary(PreconditionsSchema, preconditions);
  } catch (thrown) {
    throw new Error(`preconditions: cannot be decoded: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** The frame that delivers commands; decoded only for who looks into it. */
export class DeliveryFrame extends EncodedMessage implements ConnectResponse {
  readonly $typeName = ConnectResponseSchema.typeName;

  /** `sendMs` is the moment at which the spans in the deliveries were true, or an earlier one. */
  constructor(deliveries: readonly Uint8Array[], sendMs: number) {
    written.begin();
    const commands = written.open(response.commands.number);
    for (const bytes of deliveries) written.message(batch.commands.number, bytes);
    written.ms(batch.sendTime.number, sendMs);
    written.close(commands);
    super(written.take());
  }

  get frame(): ConnectResponse['frame'] {
    return fromBinary(ConnectResponseSchema, this.bytes).frame;
  }
}
