import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  isMessage,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandPayloadSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  IssueCommandRequestSchema,
  type IssueCommandsRequest,
  IssueCommandsRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { encodePayload } from './payload.ts';
import { readIssueCommands, sentPayloadsOf } from './sent-payloads.ts';

/** Any value of a field as the generated code holds it; what is left out has its default. */
function anyValue(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'map') return fc.constant({});
  const one = field.message === undefined ? anyScalar(field) : anyMessage(field.message);
  return field.fieldKind === 'list' ? fc.array(one, { maxLength: 3 }) : one;
}

function anyScalar({ scalar, enum: values }: DescField): fc.Arbitrary<unknown> {
  if (values !== undefined) return fc.constantFrom(...values.values.map(({ number }) => number));
  switch (scalar) {
    case ScalarType.STRING:
      return fc.string({ unit: 'binary', maxLength: 200 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT64:
      return usually(fc.bigInt({ min: 0n, max: 2n ** 40n }), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }));
    default:
      return usually(fc.nat(), fc.integer());
  }
}

/** What is written in ten bytes is left to the generated code: not every request is to hold some. */
function usually<T>(usual: fc.Arbitrary<T>, every: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: every });
}

function anyMessage(desc: DescMessage): fc.Arbitrary<unknown> {
  const fields = desc.fields.filter(({ oneof }) => oneof === undefined);
  const plain = Object.fromEntries(
    fields.map((field) => [field.localName, fc.option(anyValue(field), { nil: undefined })]),
  );
  const chosen = Object.fromEntries(
    desc.oneofs.map(({ localName, fields: cases }) => [
      localName,
      fc.oneof(...cases.map((field) => anyValue(field).map((value) => ({ case: field.localName, value })))),
    ]),
  );
  return fc.record({ ...plain, ...chosen }).map((init) => create(desc, init));
}

const anyRequests = fc
  .tuple(fc.array(anyMessage(IssueCommandRequestSchema), { maxLength: 4 }), fc.boolean())
  .map(([messages, brief]) => {
    const requests = messages.filter((message) => isMessage(message, IssueCommandRequestSchema));
    return create(IssueCommandsRequestSchema, { requests, brief });
  });

/** The payload that is made anew, where there is one. */
function encoded({ requests }: IssueCommandsRequest): (Buffer | undefined)[] {
  return requests.map(({ kind }) => (kind.case === undefined ? undefined : Buffer.from(encodePayload(kind))));
}

function sent(bytes: Uint8Array): (Buffer | undefined)[] {
  return sentPayloadsOf(readIssueCommands(bytes)).map((payload) => payload && Buffer.from(payload));
}

const field = (number: number, bytes: Uint8Array) =>
  new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
const text = (value: string) => new TextEncoder().encode(value);
const request = (...parts: readonly Uint8Array[]) => field(1, Buffer.concat(parts));

describe('payloads in the bytes that came', () => {
  test('are those that would be made anew', () => {
    fc.assert(
      fc.property(anyRequests, (batch) => {
        const payloads = sent(toBinary(IssueCommandsRequestSchema, batch));
        for (const [i, own] of encoded(batch).entries()) expect([own, undefined]).toContainEqual(payloads[i]);
      }),
    );
  });

  test('are found in what platforms send', () => {
    const orders = [
      {
        case: 'openPosition',
        value: {
          sessionId: 's',
          symbol: 'BTC_USDT',
          side: 1,
          quantity: '0.01',
          referenceTime: { seconds: 1_763_800_000n, nanos: 5 },
        },
      },
      { case: 'stopAll', value: {} },
      { case: 'ping', value: { payload: 'é'.repeat(100) } },
    ] as const;
    const requests = orders.map((kind) => ({
      executor: 'vps-1',
      requestId: 'r',
      kind,
      attemptsMax: 2,
      deadlines: { deliverWithin: { seconds: 5n } },
    }));
    const batch = create(IssueCommandsRequestSchema, { requests, brief: true });
    expect(sent(toBinary(IssueCommandsRequestSchema, batch))).toEqual(encoded(batch));
  });

  test.each([
    ['a field that is written with its default', field(21, field(1, text('')))],
    ['a field twice', field(21, Buffer.concat([field(1, text('a')), field(1, text('b'))]))],
    ['fields out of order', field(20, Buffer.concat([field(2, text('a')), field(1, text('b'))]))],
    ['a field that nobody knows', field(21, field(99, text('a')))],
    ['a length that takes more bytes than it has to', Buffer.from([0xaa, 0x01, 0x84, 0x00, 0x0a, 0x02, 0x61, 0x62])],
  ])('with %s are left to be made anew', (_, kind) => {
    expect(sent(request(field(1, text('vps-1')), kind))).toEqual([undefined]);
  });

  test('of two kinds in one request are left, and of the others found', () => {
    const [one, other] = [field(21, field(1, text('a'))), field(11, field(1, text('s')))];
    expect(sent(request(other, one))).toEqual([undefined]);
    const bytes = Buffer.concat([request(one, other), request(other), request(field(1, text('vps-1'))), request(one)]);
    expect(sent(bytes)).toEqual([undefined, Buffer.from(other), undefined, Buffer.from(one)]);
  });

  test.each([
    ['beside them', field(99, text('a'))],
    ['in another field', field(30, field(99, text('a')))],
  ])('are left where something is not known %s', (_, unknown) => {
    expect(sent(request(field(1, text('vps-1')), field(21, field(1, text('a'))), unknown))).toEqual([undefined]);
  });

  test('are never others than what the request was decoded to, whatever becomes of the bytes', () => {
    let found = 0;
    fc.assert(
      fc.property(anyRequests, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), (batch, changes) => {
        const bytes = toBinary(IssueCommandsRequestSchema, batch);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        let decoded: IssueCommandsRequest;
        try {
          decoded = readIssueCommands(bytes);
        } catch {
          // What is no request at all is refused before.
          return;
        }
        for (const [i, payload] of sentPayloadsOf(decoded).entries()) {
          if (payload === undefined) continue;
          found += 1;
          expect(fromBinary(CommandPayloadSchema, payload).kind).toEqual(decoded.requests[i]?.kind);
          expect(Buffer.from(payload)).toEqual(encoded(decoded)[i]);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(500);
  });
});
