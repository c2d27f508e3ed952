import { access } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import {
  type StartSourceRequestSchema,
  StartSourceResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Cli, Session } from '../cli.ts';
import { parseDuration } from '../terminal/duration.ts';
import { usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { datasetName, readSeriesFile } from './file.ts';
import { showDataset } from './view.ts';

interface StartOptions {
  readonly symbol: string;
  readonly replace?: boolean;
}

interface ReplayOptions extends StartOptions {
  readonly speed: string;
}

interface SimulateOptions extends StartOptions {
  readonly seed: string;
  readonly startPrice: string;
  readonly interval: string;
  readonly speed: string;
  readonly pumpEvery: string;
  readonly crashEvery: string;
  readonly history: string;
}

/** `market replay`, `market simulate`, `market follow`. */
export function registerStarts(parent: Command, cli: Cli): void {
  withStartOptions(parent.command('replay'))
    .description('play a file of candles or trades as a symbol')
    .argument('<file>', 'CSV or CSV.gz, or the name of a dataset that was imported')
    .option('--speed <n>', 'market seconds a second, or "max" for as fast as its watchers take it', '60')
    .action((file: string, options: ReplayOptions, command: Command) =>
      cli.withClients(command, (session) => replay(session, file, options)),
    );

  withStartOptions(parent.command('simulate'))
    .description('make prices up: a random walk with pumps and crashes, the same for the same seed')
    .option('--seed <n>', 'whole number', '1')
    .option('--start-price <price>', 'first price', '100')
    .option('--interval <duration>', 'of the candles', '60s')
    .option('--speed <n>', 'market seconds a second', '1')
    .option('--pump-every <n>', 'mean candles between two pumps, 0 for none', '60')
    .option('--crash-every <n>', 'mean candles between two crashes, 0 for none', '90')
    .option('--history <n>', 'candles made at once, so that indicators begin warmed up', '0')
    .action((options: SimulateOptions, command: Command) => {
      const value = {
        seed: wholeNumber('--seed', options.seed),
        startPrice: options.startPrice,
        interval: parseDuration(options.interval),
        speed: number('--speed', options.speed),
        pumpEvery: number('--pump-every', options.pumpEvery),
        crashEvery: number('--crash-every', options.crashEvery),
        historyCandles: number('--history', options.history),
      };
      return cli.withClients(command, (session) => start(session, options, { case: 'simulation', value }));
    });

  withStartOptions(parent.command('follow'))
    .description('follow one-minute candles of an exchange, where the platform allows it')
    .requiredOption('--exchange <id>', 'such as kraken')
    .requiredOption('--exchange-symbol <name>', 'the symbol there, such as BTC/USDT')
    .action((options: StartOptions & { exchange: string; exchangeSymbol: string }, command: Command) => {
      const { exchange, exchangeSymbol } = options;
      const kind = { case: 'exchange', value: { exchange, exchangeSymbol } } as const;
      return cli.withClients(command, (session) => start(session, options, kind));
    });
}

function withStartOptions(command: Command): Command {
  return command
    .requiredOption('--symbol <symbol>', 'the symbol that is fed, such as BTC_USDT')
    .option('--replace', 'stop the source that feeds the symbol now');
}

async function replay(session: Session, file: string, options: ReplayOptions): Promise<void> {
  const { markets, out } = session;
  const speed = options.speed === 'max' ? 0 : number('--speed', options.speed);
  if (options.speed !== 'max' && speed <= 0) throw usageError('--speed must be above 0, or "max"');
  if (!(await exists(file)) && /^[A-Za-z0-9._-]+$/.test(file) && !/\.(csv|gz)$/i.test(file)) {
    await start(session, options, { case: 'replay', value: { dataset: file, speed } });
    return;
  }
  const { content, mark } = await readSeriesFile(file);
  // Named for its content too, so that a file that has changed is another dataset.
  const { dataset } = await markets.importDataset({ name: `${datasetName(file)}-${mark}`, content });
  if (dataset !== undefined) showDataset(out, dataset);
  await start(session, options, { case: 'replay', value: { dataset: dataset?.name ?? '', speed } });
}

async function start(
  { markets, out }: Session,
  { symbol, replace }: StartOptions,
  kind: NonNullable<MessageInitShape<typeof StartSourceRequestSchema>['kind']>,
): Promise<void> {
  const response = await markets.startSource({ symbol, kind, replace: replace === true });
  out.document(protoJson(StartSourceResponseSchema, response));
  const fed = response.source?.symbol ?? symbol;
  out.say(`${fed} is fed by source ${response.source?.id ?? ''}; look with`);
  out.say(`  strategos market watch ${fed}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function number(option: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw usageError(`${option} must be a number, got "${text}"`);
  return value;
}

function wholeNumber(option: string, text: string): bigint {
  if (!/^-?\d{1,18}$/.test(text))
    throw usageError(`${option} must be a whole number of at most 18 digits, got "${text}"`);
  return BigInt(text);
}
