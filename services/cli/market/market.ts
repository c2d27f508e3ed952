import type { Command } from 'commander';
import { SourceSchema } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import {
  ImportDatasetResponseSchema,
  ListDatasetsResponseSchema,
  ListIndicatorsResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { datasetName, readSeriesFile } from './file.ts';
import { registerStarts } from './start.ts';
import {
  CHECK_COLUMNS,
  checkRow,
  DATASET_COLUMNS,
  datasetRow,
  INDICATOR_COLUMNS,
  indicatorRow,
  SOURCE_COLUMNS,
  showDataset,
  showIndicator,
  sourceRow,
} from './view.ts';
import { registerMarketWatch } from './watch.ts';

const EXAMPLES = `
Examples:
  $ strategos market simulate --symbol BTC_USDT --interval 1s --history 400
  $ strategos market replay BTC-1m.csv.gz --symbol BTC_USDT --speed max
  $ strategos market watch BTC_USDT price ema_20 pump_magnitude_pct
  $ strategos market indicators macd_histogram`;

/** `strategos market …`: price sources, datasets and indicators. */
export function registerMarket(program: Command, cli: Cli): void {
  const market = program
    .command('market')
    .description('feed symbols with prices, and look at prices and indicators')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerSources(market, cli);
  registerStarts(market, cli);
  registerDatasets(market, cli);
  registerIndicators(market, cli);
  registerMarketWatch(market, cli);
}

function registerSources(parent: Command, cli: Cli): void {
  parent
    .command('list')
    .description('list sources, running ones first, with what they have brought')
    .option('--symbol <symbol>', 'only those of the symbol')
    .option('--running', 'only those that run')
    .action((options: { symbol?: string; running?: boolean }, command: Command) =>
      cli.withClients(command, async ({ markets, out }) => {
        const request = { symbol: options.symbol ?? '', runningOnly: options.running === true };
        const { sources } = await repeatWhileUnavailable(() => markets.listSources(request));
        for (const source of sources) out.jsonLine(protoJson(SourceSchema, source));
        out.table(SOURCE_COLUMNS, sources.map(sourceRow), 'no sources; start one with strategos market simulate');
      }),
    );

  parent
    .command('stop')
    .description('stop a source; its symbol becomes stale, then blind')
    .argument('<source>', 'the symbol that it feeds, or its id')
    .action((source: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ markets, out }) => {
        const { source: stopped } = await repeatWhileUnavailable(() => markets.stopSource({ source }));
        if (stopped === undefined) throw new CliError(EXIT.failed, 'the platform answered without a source');
        out.document(protoJson(SourceSchema, stopped));
        out.say(`${stopped.symbol} is no longer fed; ${stopped.stats?.events ?? 0n} events came from this source`);
      }),
    );
}

function registerDatasets(parent: Command, cli: Cli): void {
  parent
    .command('import')
    .description('store a CSV or CSV.gz of candles or trades, for replays and back-tests')
    .argument('<file>', 'with a header line: timestamp_ms,open,high,low,close,volume or timestamp_ms,price,amount,side')
    .option('--name <name>', 'name of the dataset (from the file without it)')
    .action(async (file: string, options: { name?: string }, command: Command) => {
      const { content } = await readSeriesFile(file);
      await cli.withClients(command, async ({ markets, out }) => {
        const response = await markets.importDataset({ name: options.name ?? datasetName(file), content });
        out.document(protoJson(ImportDatasetResponseSchema, response));
        if (response.dataset !== undefined) showDataset(out, response.dataset);
      });
    });

  parent
    .command('datasets')
    .description('list the series that were imported')
    .action((_options: object, command: Command) =>
      cli.withClients(command, async ({ markets, out }) => {
        const response = await repeatWhileUnavailable(() => markets.listDatasets({}));
        out.document(protoJson(ListDatasetsResponseSchema, response));
        out.table(
          DATASET_COLUMNS,
          response.datasets.map(datasetRow),
          'no datasets; store one with strategos market import',
        );
      }),
    );
}

function registerIndicators(parent: Command, cli: Cli): void {
  parent
    .command('indicators')
    .description('list the indicators, or check ids and show how they are computed')
    .argument('[id...]', 'such as ema_20; case and dashes do not matter')
    .action((ids: string[], _options: object, command: Command) =>
      cli.withClients(command, async ({ markets, out }) => {
        const response = await repeatWhileUnavailable(() => markets.listIndicators({ ids }));
        const { indicators, checks } = response;
        out.document(protoJson(ListIndicatorsResponseSchema, response));
        if (ids.length === 0) out.table(INDICATOR_COLUMNS, indicators.map(indicatorRow), 'no indicators');
        else out.table(CHECK_COLUMNS, checks.map(checkRow), 'nothing to check');
        const families = indicators.filter(({ family }) =>
          checks.some(({ normalisedId }) => normalisedId === family || normalisedId.startsWith(`${family}_`)),
        );
        for (const indicator of families) showIndicator(out, indicator);
        const unknown = checks.filter(({ fault }) => fault !== '').length;
        if (unknown > 0) throw new CliError(EXIT.failed, `${unknown} of ${ids.length} ids are not known`);
      }),
    );
}
