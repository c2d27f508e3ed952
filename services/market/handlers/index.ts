import type { ServiceImpl } from '@connectrpc/connect';
import type { MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { MarketHandlerDependencies } from './dependencies.ts';
import { importDataset } from './import-dataset.ts';
import { listDatasets } from './list-datasets.ts';
import { listIndicators } from './list-indicators.ts';
import { listSources } from './list-sources.ts';
import { readDataset } from './read-dataset.ts';
import { startSource } from './start-source.ts';
import { stopSource } from './stop-source.ts';
import { watchIndicators } from './watch-indicators.ts';
import { watchPrices } from './watch-prices.ts';

export { type MarketHandlerDependencies, MIRROR_HEADER } from './dependencies.ts';

export function marketHandlers(deps: MarketHandlerDependencies): ServiceImpl<typeof MarketService> {
  return {
    importDataset: importDataset(deps),
    listDatasets: listDatasets(deps),
    readDataset: readDataset(deps),
    startSource: startSource(deps),
    stopSource: stopSource(deps),
    listSources: listSources(deps),
    listIndicators: listIndicators(),
    watchPrices: watchPrices(deps),
    watchIndicators: watchIndicators(deps),
  };
}
