import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorInfoSchema, RequestInfoSchema } from '../../../proto/gen/google/rpc/error_details_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { invalidFields, notFound, StatusError } from '../errors.ts';
import { keepingLogger } from './echo-fixture.ts';
import { isReasonName, reasonOf, toConnectError, violationsOf } from './status.ts';
import { decodeStatusDetails, encodeStatus, statusDetail } from './status-details.ts';

describe('toConnectError', () => {
  test('keeps code, message and facts of a StatusError', () => {
    const error = toConnectError(notFound('executor', 'vps-1'), { requestId: 'r-1' });
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, 'no executor "vps-1" in this account']);
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: 'RESOURCE_NOT_FOUND',
      domain: 'strategos',
      metadata: { resource: 'executor', name: 'vps-1' },
    });
    expect(error.findDetails(RequestInfoSchema)[0]?.requestId).toBe('r-1');
  });

  test('passes on the error of a called service', () => {
    const error = new ConnectError('busy', Code.Unavailable);
    expect(toConnectError(error)).toBe(error);
  });

  test('turns a lost database connection into UNAVAILABLE', () => {
    const thrown = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    const error = toConnectError(thrown);
    expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'UNAVAILABLE']);
    expect(error.rawMessage).not.toContain('5432');
  });

  test.each([[new Error('secret: hunter2')], ['a string'], [undefined]])(
    'says nothing of %s but "internal error"',
    (thrown) => {
      const { logger, lines } = keepingLogger();
      const error = toConnectError(thrown, { requestId: 'r-2', logger });
      expect([error.code, error.rawMessage, reasonOf(error)]).toEqual([
        Code.Internal,
        'internal error; quote request id r-2',
        'INTERNAL',
      ]);
      expect(lines).toEqual([expect.objectContaining({ level: 'error', requestId: 'r-2' })]);
    },
  );

  test('puts no reason on the wire that ErrorReason does not have', () => {
    const invented = Reflect.construct(StatusError, ['NotFound', 'NO_SUCH_REASON', 'gone']);
    expect(reasonOf(toConnectError(invented))).toBe('INTERNAL');
  });

  test('bounds what travels in headers', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ field: `f${index}`, description: 'x'.repeat(1_000) }));
    const error = toConnectError(invalidFields(many));
    expect(violationsOf(error)).toHaveLength(30);
    expect(error.rawMessage.length).toBeLessThanOrEqual(1_024);
  });
});

test('every value of ErrorReason but UNSPECIFIED is a reason', () => {
  const names = Object.keys(ErrorReason).filter((name) => Number.isNaN(Number(name)));
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !isReasonName(name))).toEqual(['UNSPECIFIED']);
  expect(['', 'constructor', '1', 'INVALID'].filter(isReasonName)).toEqual([]);
});

describe('google.rpc.Status by hand', () => {
  test('comes back as it was', () => {
    const detail = statusDetail(ErrorInfoSchema, create(ErrorInfoSchema, { reason: 'X', metadata: { a: 'b' } }));
    expect(decodeStatusDetails(encodeStatus(5, 'gone – é', [detail, detail]))).toEqual([detail, detail]);
  });

  test('is what the protobuf definition says, byte for byte', () => {
    const bytes = encodeStatus(5, 'no', [{ type: 'a.B', value: new Uint8Array([1, 2]) }]);
    const any = '0a17' + Buffer.from('type.googleapis.com/a.B').toString('hex') + '12020102';
    expect(Buffer.from(bytes).toString('hex')).toBe(`080512026e6f1a${(any.length / 2).toString(16)}${any}`);
  });

  test('of noise is undefined or something, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const details = decodeStatusDetails(bytes);
        expect(details === undefined || Array.isArray(details)).toBe(true);
      }),
    );
  });
});
