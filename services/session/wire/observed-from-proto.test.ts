import { create, fromJson, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  AlreadyClosedSchema,
  CommandSchema,
  CommandState,
  type CommandResultSchema,
  PositionCloseReason,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
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
