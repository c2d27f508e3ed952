import { create, toBinary } from '@bufbuild/protobuf';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CommandBatchSchema,
  CommandDeliverySchema,
  ConnectRequestSchema,
  ConnectResponseSchema,
  EventBatchSchema,
  type ExecutorEvent,
  ExecutorEventSchema,
  EventsAcknowledgedSchema,
  FinishedSchema,
  ReceivedSchema,
  StartedSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';

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

const LENGTH_DELIMITED = 2;
const COMMANDS = ConnectResponseSchema.field.commands.number;
const ACKNOWLEDGED = ConnectResponseSchema.field.eventsAcknowledged.number;
const ACKNOWLEDGED_IDS = EventsAcknowledgedSchema.field.commandIds.number;
const BATCH_COMMANDS = CommandBatchSchema.field.commands.number;
const DELIVERY_ID = CommandDeliverySchema.field.commandId.number;
const DELIVERY_ATTEMPT = CommandDeliverySchema.field.attempt.number;
const EVENT_ID_TAG = tagOf(ExecutorEventSchema.field.commandId.number, LENGTH_DELIMITED);
const EVENT_ATTEMPT_TAG = tagOf(ExecutorEventSchema.field.attempt.number, 0);
const BATCH_EVENT_TAG = tagOf(EventBatchSchema.field.events.number, LENGTH_DELIMITED);
const REQUEST_EVENTS_TAG = tagOf(ConnectRequestSchema.field.events.number, LENGTH_DELIMITED);

function tagOf(field: number, wireType: number): number {
  const tag = (field << 3) | wireType;
  if (tag > 0x7f) throw new Error('the light frames know tags of one byte');
  return tag;
}

/** Reads just what a simulated executor needs of a ConnectResponse. */
export function readFrame(bytes: Buffer): LightFrame {
  const cursor = new Cursor(bytes, 0, bytes.length);
  if (!cursor.next()) return { case: 'other' };
  if (cursor.field === COMMANDS) {
    const deliveries: LightDelivery[] = [];
    for (const batch = cursor.inside(); batch.next(); )
      if (batch.field === BATCH_COMMANDS) deliveries.push(readDelivery(batch.inside()));
    return { case: 'commands', deliveries };
  }
  if (cursor.field === ACKNOWLEDGED) {
    let count = 0;
    for (const ids = cursor.inside(); ids.next(); ) if (ids.field === ACKNOWLEDGED_IDS) count += 1;
    return { case: 'eventsAcknowledged', count };
  }
  return { case: 'other' };
}

function readDelivery(cursor: Cursor): LightDelivery {
  let commandId = '';
  let attempt = 0;
  while (cursor.next()) {
    if (cursor.field === DELIVERY_ID) commandId = cursor.text();
    else if (cursor.field === DELIVERY_ATTEMPT) attempt = cursor.value;
  }
  return { commandId, attempt };
}

/** A ConnectRequest with the receipt, the start and the result of each delivery. */
export function answerFrame(deliveries: readonly LightDelivery[]): Buffer {
  const batchBytes = deliveries.reduce((sum, { commandId }) => sum + ANSWER_BYTES.length * (6 + commandId.length), 0);
  const answerBytes = ANSWER_BYTES.reduce((sum, answer) => sum + answer.length, 0) * deliveries.length;
  const frame = Buffer.allocUnsafe(batchBytes + answerBytes + 6);
  frame[0] = REQUEST_EVENTS_TAG;
  let at = putVarint(frame, batchBytes + answerBytes, 1);
  for (const { commandId, attempt } of deliveries) {
    for (const answer of ANSWER_BYTES) {
      frame[at++] = BATCH_EVENT_TAG;
      frame[at++] = 4 + commandId.length + answer.length;
      frame[at++] = EVENT_ID_TAG;
      frame[at++] = commandId.length;
      at += frame.write(commandId, at, 'latin1');
      frame[at++] = EVENT_ATTEMPT_TAG;
      frame[at++] = attempt;
      at += answer.copy(frame, at);
    }
  }
  return frame.subarray(0, at);
}

function putVarint(target: Buffer, value: number, from: number): number {
  let at = from;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}

/** Walks the fields of a message without making anything of them. */
class Cursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Of the field at hand: its number, and its value when it is a small number. */
  field = 0;
  value = 0;
  #start = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        this.value = this.#varint();
        return true;
      case LENGTH_DELIMITED: {
        const length = this.#varint();
        this.#start = this.#at;
        this.#at += length;
        return true;
      }
      default:
        throw new Error(`a field of wire type ${tag & 7} is not expected here`);
    }
  }

  inside(): Cursor {
    return new Cursor(this.#bytes, this.#start, this.#at);
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#start, this.#at);
  }

  /** Exact below 2^31, which is enough for what is read here. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (shift < 28) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}
