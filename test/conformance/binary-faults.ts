import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type Fault, type FaultKind, INVALID } from './fault.ts';
import { joined, messageAt, type Place, type Site, without } from './site.ts';

/** Numbers that no message of ours has. */
const UNKNOWN_NUMBER = 2_000;

interface RawField {
  readonly no: number;
  readonly wireType: WireType;
  readonly data: Uint8Array;
}

/** What only the binary form can say wrongly about a message as a whole. */
export function rawMessageFaults(request: DescMessage, place: Place): Fault[] {
  const raw = (data: BinaryWriter): RawField => ({
    no: UNKNOWN_NUMBER,
    wireType: WireType.LengthDelimited,
    data: data.finish(),
  });
  const field = joined(place.path, `#${UNKNOWN_NUMBER}`);
  return [
    spoiled(request, place, place.sample(), raw(new BinaryWriter().string('x')), {
      kind: 'unknown',
      subject: place.desc.name,
      detail: `field number ${UNKNOWN_NUMBER}`,
      field,
    }),
  ];
}

/** What only the binary form can say wrongly about one field. */
export function rawFieldFaults(request: DescMessage, site: Site): Fault[] {
  const { field, path } = site;
  const subject = `${site.desc.name}.${field.name}`;
  const own = joined(path, field.name);
  const message = without(site.sample(), field);
  const fault = (kind: FaultKind, detail: string, wireType: WireType, data: Uint8Array): Fault =>
    spoiled(request, site, message, { no: field.number, wireType, data }, { kind, subject, detail, field: own });
  const faults = [fault('mistyped', 'four fixed bytes', WireType.Bit32, new Uint8Array([0x41, 0x41, 0x41, 0x41]))];
  if (isLengthDelimited(field)) {
    faults.push(fault('mistyped', 'a varint', WireType.Varint, varint(3)));
    faults.push(fault('broken framing', 'longer than what holds it', WireType.LengthDelimited, varint(10_000)));
  } else if (field.fieldKind !== 'list') {
    faults.push(fault('mistyped', 'a text', WireType.LengthDelimited, new BinaryWriter().string('x').finish()));
  }
  const bad = new Uint8Array([0x61, 0xff, 0xfe]);
  if (field.scalar === ScalarType.STRING && field.fieldKind !== 'map') {
    faults.push(fault('not UTF-8', 'bytes ff fe', WireType.LengthDelimited, bytes(bad)));
  }
  if (field.fieldKind === 'map') {
    for (const number of [1, 2]) {
      const entry = new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bad).finish();
      faults.push(fault('not UTF-8', `in entry field ${number}`, WireType.LengthDelimited, bytes(entry)));
    }
  }
  if (field.fieldKind !== 'map' && field.message !== undefined) faults.push(...timeFaults(field, fault));
  return faults;
}

/** Seconds and nanos that no JSON can express. */
function timeFaults(
  field: DescField,
  fault: (kind: FaultKind, detail: string, wireType: WireType, data: Uint8Array) => Fault,
): Fault[] {
  const name = field.message?.typeName;
  if (name !== 'google.protobuf.Duration' && name !== 'google.protobuf.Timestamp') return [];
  const pairs: readonly (readonly [string, number])[] = [
    ['5', -1],
    ['5', 2_000_000_000],
    ['4611686018427387904', 0],
    ['-9223372036854775808', -999_999_999],
  ];
  const kind = name === 'google.protobuf.Duration' ? 'bad span' : 'bad time';
  return pairs.map(([seconds, nanos]) => {
    const inner = new BinaryWriter().tag(1, WireType.Varint).int64(seconds).tag(2, WireType.Varint).int32(nanos);
    return fault(kind, `${seconds} s and ${nanos} ns`, WireType.LengthDelimited, bytes(inner.finish()));
  });
}

function isLengthDelimited(field: DescField): boolean {
  return (
    field.message !== undefined ||
    field.scalar === ScalarType.STRING ||
    field.scalar === ScalarType.BYTES ||
    field.fieldKind === 'map'
  );
}

function varint(value: number): Uint8Array {
  return new BinaryWriter().uint32(value).finish();
}

function bytes(value: Uint8Array): Uint8Array {
  return new BinaryWriter().bytes(value).finish();
}

/** Puts a field as it stands on the wire into the message at the place. */
function spoiled(
  request: DescMessage,
  place: Place,
  message: JsonObject,
  raw: RawField,
  about: Pick<Fault, 'kind' | 'subject' | 'detail' | 'field'>,
): Fault {
  const decoded: Message = fromJson(request, place.within(message));
  messageAt(decoded, place.steps).$unknown = [raw];
  return { ...about, body: { binary: toBinary(request, decoded) }, code: INVALID };
}
