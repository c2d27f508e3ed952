import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandBatchSchema,
  CommandDeliverySchema,
  ConnectRequestSchema,
  ConnectResponseSchema,
  EventBatchSchema,
  type ExecutorEvent,
  ExecutorEventSchema,
  FinishedSchema,
  ReceivedSchema,
  StartedSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { MessageBytes } from '../../services/platform/grpc/message-bytes.ts';

/** What a simulated executor reads of a delivery. */
export interface LightDelivery {
  readonly commandId: string;
  readonly attempt: number;
}

/** What a simulated executor looks for in a frame; other frames are read with the generated code. */
export type LightFrame =
  | { readonly case: 'commands'; readonly deliveries: readonly LightDelivery[] }
  | { readonly case: 'eventsAcknowledged'; readonly count: number }
  | { readonly case: 'other' };

const ANSWERS: readonly ExecutorEvent['event'][] = [
  { case: 'received', value: create(ReceivedSchema) },
  { case: 'started', value: create(StartedSchema) },
  { case: 'finished', value: create(FinishedSchema, { state: CommandState.SUCCEEDED }) },
];
/** The event of each answer as bytes, without the command that it is about. */
const ANSWER_BYTES = ANSWERS.map((event) =>
  Buffer.from(toBinary(ExecutorEventSchema, create(ExecutorEventSchema, { event }))),
);

const { commands: COMMANDS, eventsAcknowledged: ACKNOWLEDGED } = ConnectResponseSchema.field;
const frame = new MessageBytes();

/** Reads just what a simulated executor needs of a ConnectResponse. */
export function readFrame(bytes: Buffer): LightFrame {
  const reader = new BinaryReader(bytes);
  const [field] = reader.tag();
  if (field === COMMANDS.number) {
    const deliveries: LightDelivery[] = [];
    const commands = CommandBatchSchema.field.commands.number;
    within(reader, (no) => no === commands && deliveries.push(readDelivery(reader)) > 0);
    return { case: 'commands', deliveries };
  }
  if (field !== ACKNOWLEDGED.number) return { case: 'other' };
  let count = 0;
  within(reader, () => {
    count += 1;
    return false;
  });
  return { case: 'eventsAcknowledged', count };
}

function readDelivery(reader: BinaryReader): LightDelivery {
  const { commandId: id, attempt: number } = CommandDeliverySchema.field;
  let commandId = '';
  let attempt = 0;
  within(reader, (no) => {
    if (no === id.number) commandId = reader.string();
    else if (no === number.number) attempt = reader.int32();
    else return false;
    return true;
  });
  return { commandId, attempt };
}

/** Goes through the fields of the message that comes next; `take` says whether it has read the value of one. */
function within(reader: BinaryReader, take: (field: number) => boolean): void {
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (!take(field)) reader.skip(wireType, field);
  }
}

/** A ConnectRequest with the receipt, the start and the result of each delivery. */
export function answerFrame(deliveries: readonly LightDelivery[]): Buffer {
  const { commandId: id, attempt: number } = ExecutorEventSchema.field;
  frame.begin();
  const batch = frame.open(ConnectRequestSchema.field.events.number);
  for (const { commandId, attempt } of deliveries) {
    for (const answer of ANSWER_BYTES) {
      const event = frame.open(EventBatchSchema.field.events.number);
      frame.text(id.number, commandId);
      frame.whole(number.number, attempt);
      frame.fields(answer);
      frame.close(event);
    }
  }
  frame.close(batch);
  return frame.take();
}
