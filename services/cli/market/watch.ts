import { setTimeout as pause } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from 'commander';
import {
  type IndicatorUpdate,
  type SymbolFreshness,
  type WatchIndicatorsResponse,
  WatchIndicatorsResponseSchema,
} from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Cli, Session } from '../cli.ts';
import { failureOf, usageError } from '../terminal/errors.ts';
import { type Output, protoJson } from '../terminal/output.ts';
import { whileHeard } from '../terminal/silence.ts';
import { formatTime } from '../terminal/time.ts';
import { ageText, freshnessText } from './view.ts';

const RESUME_BACKOFF = { firstMs: 200, maxMs: 5_000 };

const NOTES = `
Ends with Ctrl-C. An interrupted watch resumes by itself after the last event that it has printed. With --json each line is
one WatchIndicatorsResponse; a value that does not exist yet is "NaN".`;

/** `market watch`. */
export function registerMarketWatch(parent: Command, cli: Cli): void {
  parent
    .command('watch')
    .description('print prices and indicators of a symbol, event by event')
    .argument('<symbol>')
    .argument('[indicator...]', 'ids such as ema_20; the price without any')
    .option('--after <sequence>', 'begin after this event, as far as it is kept')
    .addHelpText('after', NOTES)
    .action((symbol: string, indicators: string[], options: { after?: string }, command: Command) => {
      const ids = indicators.length === 0 ? ['price'] : indicators;
      const after = options.after ?? '0';
      if (!/^\d{1,15}$/.test(after)) throw usageError(`--after must be the number of an event, got "${after}"`);
      return cli.withClients(command, (session) => watch(session, symbol, ids, BigInt(after)));
    });
}

async function watch(session: Session, symbol: string, indicatorIds: string[], after: bigint): Promise<void> {
  const { markets, out, url } = session;
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const { signal } = interrupted;
  let sequence = after;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const request = { interests: [{ cursor: { symbol, sequence }, indicatorIds }], checkpoints: true };
      for await (const response of whileHeard(
        (heard) => markets.watchIndicators(request, { signal: heard, timeoutMs: 0 }),
        signal,
      )) {
        failures = 0;
        sequence = response.updates.at(-1)?.sequence ?? sequence;
        show(out, response, indicatorIds);
      }
    } catch (thrown) {
      if (signal.aborted) break;
      const { code } = ConnectError.from(thrown);
      if (code !== Code.ResourceExhausted && code !== Code.Unavailable) throw thrown;
      out.note(`interrupted (${failureOf(thrown, url).message}), resuming`);
    }
    failures += 1;
    await pause(backoffMs(failures, RESUME_BACKOFF), undefined, { signal }).catch(() => undefined);
  }
}

function show(out: Output, response: WatchIndicatorsResponse, ids: readonly string[]): void {
  const { updates, freshness: freshnesses, missedSymbols } = response;
  // A checkpoint tells nothing, not even a cursor.
  if (updates.length + freshnesses.length + missedSymbols.length === 0) return;
  out.jsonLine(protoJson(WatchIndicatorsResponseSchema, response));
  for (const symbol of missedSymbols) out.say(`${symbol}  events before this are no longer kept`);
  for (const freshness of freshnesses) out.say(freshnessLine(freshness));
  for (const update of updates) out.say(updateLine(update, ids));
}

function freshnessLine({ symbol, freshness, lastEventTime }: SymbolFreshness): string {
  return `${symbol}  ${freshnessText(freshness)}, ${ageText(lastEventTime)}`;
}

function updateLine({ time, sequence, price, values }: IndicatorUpdate, ids: readonly string[]): string {
  const shown = values.flatMap((value, at) => {
    const id = ids[at] ?? '';
    return id.toLowerCase() === 'price' ? [] : [`${id} ${Number.isNaN(value) ? '–' : Number(value.toPrecision(7))}`];
  });
  return [formatTime(time) ?? '', `#${sequence}`, price, ...shown].join('  ');
}
