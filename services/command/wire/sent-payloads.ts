import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  IssueCommandRequestSchema,
  type IssueCommandsRequest,
  IssueCommandsRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { decodeRequest } from '../../platform/grpc/decode-request.ts';

/** Payloads as they came, by the request that was decoded from the same bytes. */
const sentPayloads = new WeakMap<IssueCommandsRequest, readonly (Uint8Array | undefined)[]>();

/** Decodes a request of many and keeps where the payload of each of them lies. @throws what `decodeRequest` throws. */
export function readIssueCommands(bytes: Uint8Array): IssueCommandsRequest {
  const request = decodeRequest(IssueCommandsRequestSchema, bytes);
  const payloads = new PayloadReader(bytes).payloads();
  if (payloads?.length === request.requests.length) sentPayloads.set(request, payloads);
  return request;
}

/**
 * The payload of each of the requests in the bytes that came: those that `encodePayload` would make anew, for 2 us a command.
 * Undefined for one that its sender wrote in another form than everybody does, or with anything that is not known.
 */
export function sentPayloadsOf(request: IssueCommandsRequest): readonly (Uint8Array | undefined)[] {
  return sentPayloads.get(request) ?? [];
}

/** Reads bytes that were found to be well formed. What is read as -1 is given up. */
class PayloadReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Of the request that is being read: how many kinds it has, and where the last one lies, its tag included. */
  #kinds = 0;
  #kindStart = 0;
  #kindEnd = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Undefined when something else than requests and flags is among them. */
  payloads(): (Uint8Array | undefined)[] | undefined {
    const payloads: (Uint8Array | undefined)[] = [];
    while (this.#at < this.#bytes.length) {
      const tag = this.#number();
      const value = this.#number();
      if (tag === REQUESTS && value >= 0) payloads.push(this.#payload(this.#at + value));
      else if (value < 0 || (tag & 7) !== VARINT) return undefined;
    }
    return payloads;
  }

  /** Of the request up to `end`, behind which it leaves. */
  #payload(end: number): Uint8Array | undefined {
    this.#kinds = 0;
    const isUsual = this.#isUsual(REQUEST_SHAPE, end);
    this.#at = end;
    return isUsual && this.#kinds === 1 ? this.#bytes.subarray(this.#kindStart, this.#kindEnd) : undefined;
  }

  /** Whether a message is written as the generated code writes it: known fields in their order, and none with its default. */
  #isUsual(shape: UsualShape, end: number): boolean {
    let last = 0;
    while (this.#at < end) {
      const start = this.#at;
      const tag = this.#number();
      const value = this.#number();
      const field = shape.get(tag);
      if (field === undefined || value < 0) return false;
      if (field.number < last || (field.number === last && !field.listed)) return false;
      last = field.number;
      if (shape === REQUEST_SHAPE && field.ofOneof) {
        this.#kinds += 1;
        this.#kindStart = start;
        this.#kindEnd = this.#at + value;
      }
      if (field.message !== undefined) {
        if (!this.#isUsual(usualShape(field.message), this.#at + value)) return false;
      } else {
        if (value >= field.limit || (value === 0 && !field.listed)) return false;
        if (field.isText) this.#at += value;
      }
    }
    return this.#at === end;
  }

  /** A varint below 2^53; -1 for one that is longer, or longer than it had to be. */
  #number(): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < BYTES_MAX; i++) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return (byte === 0 && i > 0) || value > Number.MAX_SAFE_INTEGER ? -1 : value;
      unit *= 128;
    }
    return -1;
  }
}

const BYTES_MAX = 8;
const VARINT: number = WireType.Varint;
const LENGTH_DELIMITED: number = WireType.LengthDelimited;

/** Fields by their tags; those that are not read here are left out. */
type UsualShape = ReadonlyMap<number, UsualField>;

interface UsualField {
  readonly number: number;
  readonly listed: boolean;
  readonly ofOneof: boolean;
  readonly isText: boolean;
  /** The number, or the length of the text, is below. */
  readonly limit: number;
  readonly message: DescMessage | undefined;
}

const REQUESTS = tagOf(IssueCommandsRequestSchema.field.requests, LENGTH_DELIMITED);
const NUMBER_LIMITS: Partial<Record<ScalarType, number>> = {
  [ScalarType.BOOL]: 2,
  [ScalarType.INT32]: 2 ** 31,
  [ScalarType.UINT32]: 2 ** 32,
  [ScalarType.INT64]: Infinity,
  [ScalarType.UINT64]: Infinity,
};

const shapes = new WeakMap<DescMessage, UsualShape>();

function usualShape(desc: DescMessage): UsualShape {
  const known = shapes.get(desc);
  if (known !== undefined) return known;
  const shape = new Map(desc.fields.flatMap(usualField));
  shapes.set(desc, shape);
  return shape;
}

function usualField(field: DescField): [number, UsualField][] {
  const listed = field.fieldKind === 'list';
  const common = { number: field.number, listed, ofOneof: field.oneof !== undefined };
  if (field.fieldKind === 'map' || (field.proto.proto3Optional && field.message === undefined)) return [];
  if (field.message !== undefined) {
    const { message } = field;
    return [[tagOf(field, LENGTH_DELIMITED), { ...common, isText: false, limit: Infinity, message }]];
  }
  if (field.scalar === ScalarType.STRING) {
    return [[tagOf(field, LENGTH_DELIMITED), { ...common, isText: true, limit: Infinity, message: undefined }]];
  }
  const limit = field.scalar === undefined ? 2 ** 31 : NUMBER_LIMITS[field.scalar];
  if (limit === undefined || listed) return [];
  return [[tagOf(field, VARINT), { ...common, isText: false, limit, message: undefined }]];
}

const REQUEST_SHAPE = usualShape(IssueCommandRequestSchema);

function tagOf({ number }: DescField, wireType: number): number {
  return number * 8 + wireType;
}
