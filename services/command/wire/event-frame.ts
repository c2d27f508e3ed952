import { create, type DescField, fromBinary } from '@bufbuild/protobuf';
import { type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  EventBatchSchema,
  type ExecutorEvent,
  ExecutorEventSchema,
  type Finished,
  FinishedSchema,
  ReceivedSchema,
  StartedSchema,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { isWellFormed } from '../../platform/grpc/wire-check.ts';

const EVENTS = tagOf(ConnectRequestSchema.field.events, WireType.LengthDelimited);
const EVENT = tagOf(EventBatchSchema.field.events, WireType.LengthDelimited);
const COMMAND_ID = tagOf(ExecutorEventSchema.field.commandId, WireType.LengthDelimited);
const ATTEMPT = tagOf(ExecutorEventSchema.field.attempt, WireType.Varint);
const AGE = tagOf(ExecutorEventSchema.field.age, WireType.LengthDelimited);
const RECEIVED = tagOf(ExecutorEventSchema.field.received, WireType.LengthDelimited);
const STARTED = tagOf(ExecutorEventSchema.field.started, WireType.LengthDelimited);
const FINISHED = tagOf(ExecutorEventSchema.field.finished, WireType.LengthDelimited);
const SECONDS = tagOf(DurationSchema.field.seconds, WireType.Varint);
const NANOS = tagOf(DurationSchema.field.nanos, WireType.Varint);

const ID_BYTES = 36;
/** Five bytes hold 35 bits; what is larger is none of a plain frame. */
const VARINT_BYTES_MAX = 5;
const INT32_LIMIT = 2 ** 31;

const PLAIN_EVENTS: ReadonlyMap<number, ExecutorEvent['event']> = new Map<number, ExecutorEvent['event']>([
  [RECEIVED, { case: 'received', value: create(ReceivedSchema) }],
  [STARTED, { case: 'started', value: create(StartedSchema) }],
]);

/**
 * Reads a frame of receipts, starts and results as the generated code does, in a fifth of the time: most frames of most agents
 * are such. Undefined for every other frame and for whatever is unusual about one, of which the ordinary decoder has the last
 * word. Events of one command stand together, so its id is made once.
 */
export function readEventFrame(bytes: Uint8Array): ConnectRequest | undefined {
  const reader = new EventReader(bytes);
  const events = bytes[0] === EVENTS ? reader.batch() : undefined;
  if (events === undefined) return undefined;
  const value = { $typeName: EventBatchSchema.typeName, events };
  return { $typeName: ConnectRequestSchema.typeName, frame: { case: 'events', value } };
}

class EventReader {
  readonly #bytes: Uint8Array;
  #at = 1;
  #lastId = '';
  #lastIdAt = -1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  batch(): ExecutorEvent[] | undefined {
    const events: ExecutorEvent[] = [];
    const { length } = this.#bytes;
    if (this.#end() !== length) return undefined;
    while (this.#at < length) {
      if (this.#bytes[this.#at++] !== EVENT) return undefined;
      const end = this.#end();
      const event = end <= length ? this.#event(end) : undefined;
      if (event === undefined) return undefined;
      events.push(event);
    }
    return events;
  }

  #event(end: number): ExecutorEvent | undefined {
    let commandId: string | undefined = '';
    let attempt = 0;
    let age: Duration | undefined;
    let event: ExecutorEvent['event'] | undefined;
    while (this.#at < end) {
      const tag = this.#bytes[this.#at++] ?? 0;
      if (tag === COMMAND_ID) commandId = this.#commandId();
      else if (tag === ATTEMPT) attempt = this.#varint();
      else if (tag === AGE && age === undefined) age = this.#age();
      else if (event === undefined) event = this.#what(tag);
      else return undefined;
    }
    if (this.#at !== end || commandId === undefined || event === undefined || attempt >= INT32_LIMIT) return undefined;
    const read = { $typeName: ExecutorEventSchema.typeName, commandId, attempt, event };
    return age === undefined ? read : { ...read, age };
  }

  /** Undefined unless it is one of 36 hexadecimal digits and dashes, as every command's is. */
  #commandId(): string | undefined {
    const start = this.#at + 1;
    if (this.#bytes[this.#at] !== ID_BYTES || start + ID_BYTES > this.#bytes.length) return undefined;
    this.#at = start + ID_BYTES;
    if (this.#repeats(start)) return this.#lastId;
    let id = '';
    for (let i = start; i < this.#at; i++) {
      const code = this.#bytes[i] ?? 0;
      const isPlain = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || code === 0x2d;
      if (!isPlain) return undefined;
    }
    id = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, ID_BYTES).toString('latin1');
    this.#lastId = id;
    this.#lastIdAt = start;
    return id;
  }

  #repeats(start: number): boolean {
    if (this.#lastIdAt < 0) return false;
    for (let i = 0; i < ID_BYTES; i++) if (this.#bytes[start + i] !== this.#bytes[this.#lastIdAt + i]) return false;
    return true;
  }

  #age(): Duration | undefined {
    const end = this.#end();
    let seconds = 0;
    let nanos = 0;
    while (this.#at < end) {
      const tag = this.#bytes[this.#at++];
      if (tag === SECONDS) seconds = this.#varint();
      else if (tag === NANOS) nanos = this.#varint();
      else this.#at = Infinity;
    }
    if (this.#at !== end || nanos >= INT32_LIMIT || seconds === Infinity) return this.#stop();
    return { $typeName: DurationSchema.typeName, seconds: BigInt(seconds), nanos };
  }

  #what(tag: number): ExecutorEvent['event'] | undefined {
    const plain = PLAIN_EVENTS.get(tag);
    const end = plain === undefined && tag !== FINISHED ? Infinity : this.#end();
    if (plain !== undefined) return end === this.#at ? plain : this.#stop();
    const value = end <= this.#bytes.length ? finishedOf(this.#bytes.subarray(this.#at, end)) : undefined;
    if (value === undefined) return this.#stop();
    this.#at = end;
    return { case: 'finished', value };
  }

  /** Makes whatever is being read fail. */
  #stop(): undefined {
    this.#at = Infinity;
  }

  /** Where the field ends that begins with its length. */
  #end(): number {
    const length = this.#varint();
    return this.#at + length;
  }

  /** Infinity when it is longer than expected. */
  #varint(): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    return Infinity;
  }
}

function finishedOf(bytes: Uint8Array): Finished | undefined {
  try {
    return isWellFormed(FinishedSchema, bytes) ? fromBinary(FinishedSchema, bytes) : undefined;
  } catch {
    return undefined;
  }
}

function tagOf({ number }: DescField, wireType: WireType): number {
  const tag = number * 8 + wireType;
  if (tag > 0x7f) throw new Error(`field number ${number} needs a tag of two bytes, which is not read here`);
  return tag;
}
