import { createClient } from '@connectrpc/connect';
import { Health } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { BacktestService } from '../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { callerOf, internalAuthenticator, internalHeaders } from '../platform/grpc/caller.ts';
import { healthService } from '../platform/grpc/health.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { createGrpcTransport, type GrpcTransport } from '../platform/grpc/transport.ts';
import { type Running, Stack } from '../platform/lifecycle.ts';
import type { Logger } from '../platform/logger.ts';
import type { BacktestConfig } from './config.ts';
import { runBacktestHandler } from './handlers/run-backtest.ts';
import { readCsv, readDataset } from './upstream/datasets.ts';
import { loadParticipants } from './upstream/strategies.ts';

/** A file of 8 MiB and what stands beside it. */
const RECEIVE_BYTES_MAX = 12 * 1_048_576;

/** Starts the back-test service; a process of its own, because a run keeps a processor busy. */
export async function startBacktestService(
  config: BacktestConfig,
  logger: Logger,
): Promise<{ readonly service: Running; readonly ports: { readonly internal: number } }> {
  const stack = new Stack();
  try {
    const transportTo = (urls: readonly string[]): GrpcTransport | undefined =>
      urls.length === 0 ? undefined : stack.use(createGrpcTransport({ urls }), (made) => made.close());
    const strategies = transportTo(config.strategyUrls);
    const markets = transportTo(config.marketUrls);
    const stored = strategies === undefined ? undefined : createClient(StrategyService, strategies);
    const market = markets === undefined ? undefined : createClient(MarketService, markets);
    const server = createGrpcServer({
      host: config.host,
      port: config.port,
      logger,
      limits: grpcServerLimits({ receiveBytesMax: RECEIVE_BYTES_MAX }),
      authenticate: internalAuthenticator(config.internalToken),
    });
    server.register(BacktestService, {
      runBacktest: runBacktestHandler({
        participants: (request, context) =>
          loadParticipants(
            request.strategies,
            request.symbol,
            stored,
            internalHeaders(config.internalToken, callerOf(context), undefined),
          ),
        data: ({ data, symbol }, context) =>
          data.case === 'csv'
            ? readCsv(data.value)
            : readDataset(
                data.value ?? '',
                symbol,
                market,
                internalHeaders(config.internalToken, callerOf(context), undefined),
              ),
      }),
    });
    server.register(
      Health,
      healthService(() => Promise.resolve(true), logger),
    );
    const port = await stack.add(server).start();
    return { service: stack, ports: { internal: port } };
  } catch (thrown) {
    await stack.stop();
    throw thrown;
  }
}
