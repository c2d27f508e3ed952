import { type Draft, isHeld } from './draft.ts';
import type { Fill } from './positions.ts';
import type { PositionRecord, Section } from './records.ts';

/** Closes a position that no strategy asked to be closed. */
export function wantClose(draft: Draft, id: string, requestId: string, reason: string): void {
  const position = draft.position(id);
  if (position === undefined) return;
  draft.setPosition(id, { state: 'CLOSING', exitReason: reason, unknownTimeMs: null });
  draft.want({
    requestId,
    purpose: 'CLOSE',
    subjectId: id,
    wish: {
      type: 'CLOSE_POSITION',
      strategyId: position.strategyId,
      symbol: position.symbol,
      referencePrice: '',
      referenceTimeMs: null,
    },
  });
}

/** Which part of the platform or venue a position's exit came from. */
export function sectionOf(exitReason: string): Section {
  switch (exitReason) {
    case 'ze1_close':
      return 'ZE1_CLOSE';
    case 'emergency_exit':
      return 'EMERGENCY_EXIT';
    case 'stop_loss':
      return 'STOP_LOSS';
    case 'take_profit':
      return 'TAKE_PROFIT';
    case 'liquidation':
    case 'venue':
      return 'VENUE';
    default:
      return 'SESSION';
  }
}

/** Wants a close of its own for each position that is held, of the session or of one instance; returns how many are. */
export function closeEach(draft: Draft, reason: string, instanceId?: string): number {
  const held = draft.positions.filter(
    (position) => isHeld(position) && (instanceId === undefined || position.instanceId === instanceId),
  );
  for (const { id, state } of held) {
    if (state === 'OPEN') wantClose(draft, id, `alone:${id}:${draft.nowMs}`, reason);
  }
  return held.length;
}

/** Of a position that was closed in part. */
export function partText({ quantity, symbol }: PositionRecord, fill: Fill): string {
  return `the venue closed ${fill.quantity} of ${quantity} ${symbol}, and the rest is still open`;
}

/**
 * Whether what closed a position without a command has been booked: the venue's own event and a close that came too late tell
 * of the same execution.
 */
export function isBookedAs({ state, exitReason, closedQuantity }: PositionRecord, reason: string): boolean {
  return state === 'CLOSED' && exitReason === reason && closedQuantity !== '';
}
