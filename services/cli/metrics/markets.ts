import type { Registry } from 'prom-client';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { CALL, type Part, part, seconds } from './part.ts';

const GAUGES = {
  market_blind: [
    '1 when nothing has come from a running source for so long that sessions follow their disconnect policy',
    'symbol',
    'source',
  ],
  market_last_event_seconds: ["Market time of a running source's last event, in Unix time", 'symbol', 'source'],
  market_faults: ['Rows of a running source that were left out: malformed, out of order or double', 'symbol', 'source'],
} as const;

/** What prices come in. */
export function marketPart(registry: Registry): Part {
  return part(registry, 'markets', GAUGES, async ({ markets }) => {
    const { sources } = await markets.listSources({ runningOnly: true }, CALL);
    const facts = sources.map(({ id, symbol, stats }) => ({ labels: { symbol, source: id }, stats }));
    return {
      market_blind: facts.map(({ labels, stats }) => ({
        labels,
        value: Number(stats?.freshness === Freshness.BLIND),
      })),
      market_last_event_seconds: facts.map(({ labels, stats }) => ({ labels, value: seconds(stats?.lastEventTime) })),
      market_faults: facts.map(({ labels, stats }) => ({
        labels,
        value: stats === undefined ? undefined : Number(stats.malformed + stats.outOfOrder + stats.duplicates),
      })),
    };
  });
}
