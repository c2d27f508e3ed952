import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../../proto/gen/google/rpc/error_details_pb.js';
import { StatusError, unavailable } from '../../platform/errors.ts';
import { reasonMetadataOf, reasonOf, toConnectError } from '../../platform/grpc/status.ts';
import { mayBeRepeated, neverSent, passedOn } from './upstream-error.ts';

function fromWire(code: Code, message: string, reason?: string): ConnectError {
  const error = new ConnectError(message, code, { 'internal-header': 'x' });
  if (reason !== undefined) {
    const info = create(ErrorInfoSchema, { reason, domain: 'strategos' });
    error.details = [{ type: ErrorInfoSchema.typeName, value: toBinary(ErrorInfoSchema, info) }];
  }
  return error;
}

describe('passedOn', () => {
  test('keeps code, message and details of the service, readable, and none of its headers', () => {
    const error = toConnectError(passedOn(fromWire(Code.ResourceExhausted, 'full', 'QUEUE_FULL'), 'command'));
    expect([error.code, error.rawMessage, reasonOf(error)]).toEqual([Code.ResourceExhausted, 'full', 'QUEUE_FULL']);
    expect(error.details[0]).toMatchObject({ desc: ErrorInfoSchema });
    expect([...error.metadata]).toEqual([]);
  });

  test('passes on details that it does not know, and marks those that cannot be read', () => {
    const foreign = new ConnectError('x', Code.Aborted);
    foreign.details = [
      { type: 'a.B', value: Uint8Array.of(1) },
      { type: ErrorInfoSchema.typeName, value: Uint8Array.of(0x0a, 0x7f) },
    ];
    const error = toConnectError(passedOn(foreign, 'command'));
    expect(error.details[0]).toEqual({ type: 'a.B', value: Uint8Array.of(1) });
    expect(error.details[1]).toMatchObject({ debug: expect.stringContaining('cannot be read') });
  });

  test('an UNAVAILABLE of the service is its own, and may be repeated', () => {
    const error = fromWire(Code.Unavailable, 'draining', 'UNAVAILABLE');
    expect(passedOn(error, 'command')).toMatchObject({ rawMessage: 'draining' });
    expect([mayBeRepeated(error), neverSent(error)]).toEqual([true, false]);
  });

  test('one of the connection is told apart by whether anything was sent, and keeps the address inside', () => {
    const unsent = toConnectError(unavailable('http://10.0.0.1:1', 'cannot reach http://10.0.0.1:1 (refused)'));
    expect([mayBeRepeated(unsent), neverSent(unsent)]).toEqual([false, true]);
    const told = toConnectError(passedOn(unsent, 'command'));
    expect(told.rawMessage).toContain('nothing was sent');
    expect([reasonOf(told), reasonMetadataOf(told)]).toEqual(['UNAVAILABLE', { dependency: 'command' }]);
    const lost = toConnectError(unavailable('http://10.0.0.1:1', 'the connection to http://10.0.0.1:1 was lost'));
    expect([mayBeRepeated(lost), neverSent(lost)]).toEqual([false, false]);
    expect(toConnectError(passedOn(lost, 'command')).rawMessage).toContain('whether it took effect is not known');
    expect(JSON.stringify([told, passedOn(lost, 'command')].map(String))).not.toContain('10.0.0.1');
  });

  test('other failures on the way keep code and reason, without the address', () => {
    const facts = { metadata: { url: 'http://10.0.0.1:1' } };
    const late = new StatusError(
      'DeadlineExceeded',
      'DEADLINE_EXCEEDED',
      'http://10.0.0.1:1 did not answer in time',
      facts,
    );
    const told = toConnectError(passedOn(toConnectError(late), 'command'));
    expect([told.code, told.rawMessage]).toEqual([Code.DeadlineExceeded, 'the command service did not answer in time']);
    expect([reasonOf(told), reasonMetadataOf(told)]).toEqual(['DEADLINE_EXCEEDED', {}]);
  });

  test('a failure without a reason is a defect, whose text stays inside', () => {
    const error = toConnectError(passedOn(fromWire(Code.Internal, 'http://10.0.0.1:1 sent junk'), 'command'), {
      requestId: 'r1',
    });
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, 'internal error; quote request id r1']);
  });
});
