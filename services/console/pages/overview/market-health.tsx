import { useQuery } from '@connectrpc/connect-query';
import { Freshness, type Source } from '../../../../proto/gen/strategos/market/v1/market_pb.js';
import { MarketService } from '../../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { Ago } from '../../parts/moment.tsx';
import { decimalText } from '../../parts/number.ts';
import { Nothing, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';

const LOOK_MS = 3_000;

/** Every market that is fed, and how old its prices are. */
export function MarketHealth() {
  const { data, error } = useQuery(
    MarketService.method.listSources,
    { runningOnly: true },
    { refetchInterval: LOOK_MS },
  );
  const sources = (data?.sources ?? []).toSorted((a, b) => freshnessOf(b) - freshnessOf(a));
  return (
    <Panel title="Markets" className="half">
      <Problem error={error} what="Markets cannot be read" />
      {error === null && sources.length === 0 && (
        <Nothing>{data === undefined ? 'Loading …' : 'No market is fed.'}</Nothing>
      )}
      <ul className="plain-list">
        {sources.map((source) => (
          <li key={source.id} className="row apart">
            <span className="row">
              <FreshnessMark freshness={freshnessOf(source)} />
              <strong>{source.symbol}</strong>
              <span className="quiet">{source.kind.case}</span>
            </span>
            <span className="quiet">
              {decimalText(source.stats?.lastPrice ?? '')} · market time <Ago time={source.stats?.lastEventTime} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function freshnessOf({ stats }: Source): Freshness {
  return stats?.freshness ?? Freshness.UNSPECIFIED;
}
