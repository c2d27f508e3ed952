import { createClient } from '@connectrpc/connect';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import { internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import { eventFromProto } from '../wire/event-from-proto.ts';
import { timestampOf } from '../wire/time.ts';
import type { FollowedEvents } from './mirror.ts';
import type { SymbolMarket } from './symbol-market.ts';

/** Follows a symbol at the replica that runs its source, from the newest event that is known here on. */
export function followReplica(internalToken: Secret, mirrorHeader: string) {
  return async function* (
    url: string,
    { accountId, symbol, headSequence }: SymbolMarket,
    signal: AbortSignal,
  ): AsyncGenerator<FollowedEvents> {
    const caller = { accountId, role: 'admin', subject: 'market' } as const;
    const transport = createGrpcTransport({
      urls: [url],
      headers: () => ({ ...internalHeaders(internalToken, caller, undefined), [mirrorHeader]: '1' }),
    });
    try {
      // Where nothing is known yet, everything that is kept is wanted, and a sequence of 0 would ask for new events alone.
      const cursor = headSequence > 0 ? { sequence: BigInt(headSequence) } : { afterTime: timestampOf(0) };
      const watch = createClient(MarketService, transport).watchPrices(
        { symbols: [{ symbol, ...cursor }] },
        { signal },
      );
      for await (const { events, missedSymbols } of watch) {
        const read = events.flatMap((event) => eventFromProto(event) ?? []);
        const missed = missedSymbols.length > 0;
        if (read.length > 0 || missed) yield { events: read, missed };
      }
    } finally {
      transport.close();
    }
  };
}
