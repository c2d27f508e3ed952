import { create } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { assert, constantFrom, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PingSchema, StartSessionSchema } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { encodePayload, KIND_NAMES, keyPartsOf, payloadDefect, readPayload } from './payload.ts';

const ping = encodePayload({ case: 'ping', value: create(PingSchema, { payload: 'hello' }) });

function field(number: number, value: string): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).string(value).finish();
}

describe('a stored payload', () => {
  test('comes back as the kind that was put in', () => {
    expect(payloadDefect('ping', ping)).toBeUndefined();
    const read = readPayload('ping', ping);
    expect(read).toMatchObject({ type: 'payload', kind: { case: 'ping', value: { payload: 'hello' } } });
  });

  test.each([
    ['an unknown kind', 'warp', ping, 'kind: "warp" is not a kind'],
    ['a kind named after a property of every object', 'constructor', ping, 'kind: "constructor" is not a kind'],
    ['another kind', 'pause', ping, 'parameters: hold ping where kind says pause'],
    ['no kind', 'ping', new Uint8Array(), 'parameters: hold no kind'],
    [
      'a field beside the kind',
      'ping',
      new Uint8Array([...ping, ...field(1, 'id')]),
      'parameters: field number 1 is not known',
    ],
    ['a kind of a newer release', 'ping', field(99, ''), 'parameters: field number 99 is not known'],
  ])('with %s is refused, naming the column', (_, kind, parameters, defect) => {
    expect(payloadDefect(kind, parameters)).toBe(defect);
  });

  test('that breaks off is refused', () => {
    expect(payloadDefect('ping', ping.subarray(0, -1))).toMatch(/^parameters: cannot be decoded: /);
  });

  test('with a duration that proto JSON cannot express is refused', () => {
    const value = create(StartSessionSchema, { sessionId: 's', disconnectAfter: { seconds: 10n ** 15n, nanos: 0 } });
    const bytes = encodePayload({ case: 'startSession', value });
    expect(payloadDefect('start_session', bytes)).toBe('parameters: start_session.disconnect_after is not a duration');
  });

  test('keeps a field inside the kind that a newer replica wrote', () => {
    const newer = new BinaryWriter().tag(21, WireType.LengthDelimited).bytes(field(77, 'new')).finish();
    expect(payloadDefect('ping', newer)).toBeUndefined();
  });

  test('never throws, whatever the bytes are', () => {
    assert(
      property(constantFrom(...KIND_NAMES), uint8Array({ maxLength: 64 }), (kind, bytes) => {
        const defect = payloadDefect(kind, bytes);
        expect(defect === undefined || /^(kind|parameters): /.test(defect)).toBe(true);
      }),
    );
  });
});

test('the parts of the ordering key are taken where the kind has them', () => {
  const value = create(StartSessionSchema, { sessionId: 's1' });
  expect(keyPartsOf({ case: 'startSession', value })).toEqual({ sessionId: 's1', strategyId: '', symbol: '' });
  expect(keyPartsOf({ case: 'ping', value: create(PingSchema, { payload: 'x' }) })).toEqual({
    sessionId: '',
    strategyId: '',
    symbol: '',
  });
});
