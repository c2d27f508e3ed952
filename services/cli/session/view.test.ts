import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { DisconnectPolicy } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { PositionSchema, PositionState, SessionState } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { parseDisconnect } from './start.ts';
import { parseSessionStates, positionRow } from './view.ts';

describe('--disconnect', () => {
  test('is a policy, and for flatten the time after which it applies', () => {
    expect(parseDisconnect(undefined)).toEqual({});
    expect(parseDisconnect('reduce-only')).toEqual({ disconnectPolicy: DisconnectPolicy.REDUCE_ONLY });
    const flatten = parseDisconnect('flatten:90s');
    expect(flatten.disconnectPolicy).toBe(DisconnectPolicy.FLATTEN);
    expect(flatten.disconnectAfter?.seconds).toBe(90n);
  });

  test.each([
    ['close', /there is no policy "close"/],
    ['hold:60s', /only flatten takes a time/],
    ['flatten:soon', /"soon" is not a duration/],
  ])('%s is refused', (text, message) => {
    expect(() => parseDisconnect(text)).toThrow(message);
  });
});

test('states are written in either case, one by one or in a list', () => {
  expect(parseSessionStates(['active,PAUSED', 'stopping'])).toEqual([
    SessionState.ACTIVE,
    SessionState.PAUSED,
    SessionState.STOPPING,
  ]);
  expect(() => parseSessionStates(['running'])).toThrow(/there is no state "running"/);
});

test('a position is shown with its market time in UTC', () => {
  const position = create(PositionSchema, {
    strategyName: 'pump',
    symbol: 'BTC_USDT',
    state: PositionState.CLOSED,
    quantity: '2',
    entryPrice: '100',
    exitPrice: '107',
    exitReason: 'ze1_close',
    pnl: '14',
    entryTime: timestampFromMs(Date.UTC(2022, 11, 13, 13, 30)),
  });
  expect(positionRow(position)).toEqual([
    '2022-12-13 13:30:00Z',
    'pump',
    'BTC_USDT',
    'CLOSED',
    '2',
    '100',
    '107',
    'ze1_close',
    '14',
  ]);
});
