import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ConnectError } from '@connectrpc/connect';

// google.rpc.Status has three fields and google.protobuf.Any two; both are written and read by hand here, because the
// header `grpc-status-details-bin` is their only use.

const TYPE_URL_PREFIX = 'type.googleapis.com/';

/** A detail as it stands on the wire: a message type name and its bytes. */
export interface StatusDetail {
  readonly type: string;
  readonly value: Uint8Array;
}

/** One detail from a message. */
export function statusDetail<D extends DescMessage>(desc: D, message: MessageShape<D>): StatusDetail {
  return { type: desc.typeName, value: toBinary(desc, message) };
}

/** The details of an error, whether they came from the wire or were made here. */
export function detailsOf(error: ConnectError): StatusDetail[] {
  return error.details.map((detail) =>
    'desc' in detail ? statusDetail(detail.desc, create(detail.desc, detail.value)) : detail,
  );
}

/** Encodes a google.rpc.Status. */
export function encodeStatus(code: number, message: string, details: readonly StatusDetail[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32((1 << 3) | WireType.Varint).int32(code);
  writer.uint32((2 << 3) | WireType.LengthDelimited).string(message);
  for (const detail of details) {
    writer.uint32((3 << 3) | WireType.LengthDelimited).fork();
    writer.uint32((1 << 3) | WireType.LengthDelimited).string(TYPE_URL_PREFIX + detail.type);
    writer.uint32((2 << 3) | WireType.LengthDelimited).bytes(detail.value);
    writer.join();
  }
  return writer.finish();
}

/** Reads the details of an encoded google.rpc.Status; undefined when the bytes are not one. */
export function decodeStatusDetails(bytes: Uint8Array): StatusDetail[] | undefined {
  try {
    const reader = new BinaryReader(bytes);
    const details: StatusDetail[] = [];
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 3 && wireType === WireType.LengthDelimited) details.push(decodeAny(reader.bytes()));
      else reader.skip(wireType, field);
    }
    return details;
  } catch (thrown) {
    // Bytes of a foreign server: an error without details is still an error.
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}

function decodeAny(bytes: Uint8Array): StatusDetail {
  const reader = new BinaryReader(bytes);
  let typeUrl = '';
  let value: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) typeUrl = reader.string();
    else if (field === 2 && wireType === WireType.LengthDelimited) value = reader.bytes();
    else reader.skip(wireType, field);
  }
  return { type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1), value };
}
