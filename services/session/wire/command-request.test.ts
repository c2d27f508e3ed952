import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { DisconnectPolicy } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { starting, startRequestId } from '../domain/test-session.ts';
import { commandRequest } from './command-request.ts';

test.each([
  ['FLATTEN', DisconnectPolicy.FLATTEN, durationFromMs(60_000)],
  // An agent knows by itself how soon the others act; the minute of FLATTEN would hold them back.
  ['CANCEL_ORDERS', DisconnectPolicy.CANCEL_ORDERS, undefined],
  ['REDUCE_ONLY', DisconnectPolicy.REDUCE_ONLY, undefined],
  ['HOLD', DisconnectPolicy.HOLD, undefined],
] as const)('a session under %s tells its agent the policy, and a span for FLATTEN alone', (name, policy, after) => {
  const draft = starting(['pump'], { disconnectPolicy: name });
  const command = draft.command(startRequestId(draft));
  if (command === undefined) throw new Error('no session is started');
  const { kind } = commandRequest(command, draft.session);
  expect(kind).toMatchObject({ case: 'startSession', value: { disconnectPolicy: policy } });
  expect(kind.case === 'startSession' ? kind.value.disconnectAfter : null).toEqual(after);
});
