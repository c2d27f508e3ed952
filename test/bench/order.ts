import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';

/** Of each caller, ours and the peer's, in one call. */
export const BATCH_ORDERS = 200;
export const BATCHES_AT_ONCE = 6;

export type Order = ReturnType<typeof order>;

/** What is ordered, of us and of the peer: each order belongs to a session of its own and waits for no other. */
export function order(executor: string, i: number) {
  return {
    executor,
    kind: {
      case: 'openPosition' as const,
      value: {
        sessionId: `session-${i}`,
        strategyId: 'pump',
        symbol: 'BTC_USDT',
        side: Side.BUY,
        quantity: '0.01',
        referencePrice: '50000',
      },
    },
  };
}
