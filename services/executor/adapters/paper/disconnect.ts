import { DisconnectPolicy } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import {
  type AccountChange,
  type PaperPosition,
  type PaperSession,
  positionChange,
  positionsWithin,
} from './account.ts';
import { closeAll, closePositions } from './closing.ts';
import type { EffectContext } from './effect.ts';
import { restingOrders } from './positions.ts';
import { disconnectPolicyApplied, ordersCancelled, positionClosed } from './venue-facts.ts';
import type { VenueEventInit } from './venue-event-store.ts';

/** What a session's disconnect policy does to the account, and what tells of it. */
export function carryOut(
  context: EffectContext,
  session: PaperSession,
  lostForMs: number,
): { readonly changes: AccountChange[]; readonly events: VenueEventInit[] } {
  const { account, nowMs } = context;
  const { sessionId, disconnectPolicy: policy = DisconnectPolicy.HOLD } = session;
  const flattens = policy === DisconnectPolicy.FLATTEN;
  const cancels = flattens || policy === DisconnectPolicy.CANCEL_ORDERS;
  const positions = positionsWithin(account, { sessionId });
  const resting = cancels ? positions.filter((position) => restingOrders(position) > 0) : [];
  const closed = flattens ? closeForDisconnect(context, positions) : { changes: [], events: [] };
  const bare = flattens ? [] : resting.map((position) => positionChange(withoutOrders(position)));
  const counts = {
    ordersCancelled: resting.reduce((sum, position) => sum + restingOrders(position), 0),
    positionsClosed: flattens ? positions.length : 0,
  };
  return {
    changes: [
      ...bare,
      ...closed.changes,
      { collection: 'session', key: sessionId, value: { ...session, disconnectApplied: true } },
    ],
    events: [
      ...resting.map((position) =>
        ordersCancelled(position, restingOrders(position), 'the platform is lost', { nowMs }),
      ),
      ...closed.events,
      disconnectPolicyApplied(sessionId, { policy, lostForMs, ...counts }, { nowMs }),
    ],
  };
}

function closeForDisconnect(
  context: EffectContext,
  positions: readonly PaperPosition[],
): { readonly changes: AccountChange[]; readonly events: VenueEventInit[] } {
  const closings = closeAll(context, positions).map((closing) => ({ ...closing, reason: 'disconnect' as const }));
  const { kept, changes } = closePositions(context, closings);
  const events = kept.flatMap((fill, at) => {
    const position = positions[at];
    return position === undefined ? [] : [positionClosed(position, 'disconnect', fill, { nowMs: context.nowMs })];
  });
  return { changes, events };
}

function withoutOrders(position: PaperPosition): PaperPosition {
  return { ...position, stopLossPrice: '', takeProfitPrice: '' };
}
