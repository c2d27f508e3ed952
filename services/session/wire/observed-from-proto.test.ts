import { create, fromJson, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  AlreadyClosedSchema,
  CommandSchema,
  CommandState,
  type CommandResultSchema,
  PositionCloseReason,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { applyObserved } from '../domain/results.ts';
import { decide, running, SYMBOL } from '../domain/test-session.ts';
import { observedFromProto } from './observed-from-proto.ts';

function closedBy(result: MessageInitShape<typeof CommandResultSchema>): string {
  const kind = { case: 'closePosition', value: {} } as const;
  return observedFromProto(create(CommandSchema, { kind, state: CommandState.SUCCEEDED, result })).closedBy;
}

describe('what had closed a position before its close came', () => {
  test.each([
    [PositionCloseReason.STOP_LOSS, 'stop_loss'],
    [PositionCloseReason.TAKE_PROFIT, 'take_profit'],
    [PositionCloseReason.DISCONNECT, 'disconnect'],
    [PositionCloseReason.LIQUIDATION, 'liquidation'],
    [PositionCloseReason.VENUE, 'venue'],
    [PositionCloseReason.UNSPECIFIED, 'venue'],
  ])('reason %s is %s', (reason, name) => {
    expect(closedBy({ alreadyClosed: { reason } })).toBe(name);
  });

  test('a reason of a later release is the venue, too', () => {
    const later = fromJson(AlreadyClosedSchema, { reason: 99 });
    expect(closedBy({ alreadyClosed: later })).toBe('venue');
  });

  test('is said by the field alone, whatever the sentence says', () => {
    expect(closedBy({ summary: '1 position closed before its stop loss' })).toBe('');
  });
});

test('what an adapter writes with an exponent reaches the session as a plain decimal', () => {
  const fill = { symbol: 'PEPE_BTC', quantity: '1.5e9', price: '5e-7', fee: '7.5E-1' };
  const { fills, positions } = observedFromProto(
    create(CommandSchema, {
      state: CommandState.SUCCEEDED,
      result: { fills: [fill], status: { positions: [{ symbol: 'PEPE_BTC', quantity: '1e-8', entryPrice: '0.5' }] } },
    }),
  );
  expect(fills).toMatchObject([{ quantity: '1500000000', price: '0.0000005', fee: '0.75' }]);
  expect(positions).toMatchObject([{ quantity: '0.00000001', entryPrice: '0.5' }]);
});

describe('a fill that cannot be read', () => {
  const broken = { symbol: SYMBOL, quantity: '2', price: '1,5', fee: 'none' };
  const answer = (requestId: string, fills: (typeof broken)[]) =>
    observedFromProto(
      create(CommandSchema, { requestId, id: `c-${requestId}`, state: CommandState.SUCCEEDED, result: { fills } }),
    );

  test('is none: the session goes by what it ordered, and does not stop at it', () => {
    const draft = running();
    decide(draft, 'SIGNAL', 's1');
    decide(draft, 'ENTER', 'e1');
    applyObserved(draft, answer('e1', [broken]));
    expect(draft.positions).toMatchObject([{ state: 'OPEN', quantity: '2', entryPrice: '100', fee: '' }]);
    decide(draft, 'EXIT', 'x1');
    applyObserved(draft, answer('x1', [broken]));
    expect(draft.positions).toMatchObject([{ state: 'CLOSED', exitPrice: '', pnl: '' }]);
  });

  test.each(['NaN', '-5', '0x10', ' 5', '1e9999', 'Infinity', ''])('with the price "%s"', (price) => {
    expect(answer('e1', [{ ...broken, price }]).fills).toEqual([]);
  });

  test('makes nothing of those beside it: their sum would be too small', () => {
    expect(answer('e1', [broken, { ...broken, price: '1.5' }]).fills).toEqual([]);
  });

  test('for its fee alone is read without it; a rebate is below 0', () => {
    const fills = [
      { ...broken, price: '1.5' },
      { ...broken, price: '1.5', fee: '-0.1' },
    ];
    expect(answer('e1', fills).fills).toMatchObject([
      { price: '1.5', fee: '' },
      { price: '1.5', fee: '-0.1' },
    ]);
  });
});
