import { createClient } from '@connectrpc/connect';
import { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import { internalHeaders } from '../../platform/grpc/caller.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import type { WatchPrices } from './price-feed.ts';

/** Prices from the market service; `close` ends the connections. Undefined when no address is named. */
export function marketPrices(
  urls: readonly string[],
  internalToken: Secret,
): { readonly watch: WatchPrices; readonly close: () => void } | undefined {
  if (urls.length === 0) return undefined;
  const transport = createGrpcTransport({ urls });
  const client = createClient(MarketService, transport);
  return {
    watch: (accountId, cursor, signal) =>
      client.watchPrices(
        { symbols: [cursor] },
        {
          signal,
          headers: internalHeaders(internalToken, { accountId, role: 'admin', subject: 'command' }, undefined),
        },
      ),
    close: () => transport.close(),
  };
}
