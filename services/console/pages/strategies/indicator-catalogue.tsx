import { useQuery } from '@connectrpc/connect-query';
import { MarketService } from '../../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Every family of indicators, with its formula: a value can be computed again from this text alone. */
export function IndicatorCatalogue() {
  const { data, error } = useQuery(MarketService.method.listIndicators, {}, { staleTime: Number.POSITIVE_INFINITY });
  return (
    <Panel title="Indicator catalogue">
      <Problem error={error} what="The catalogue cannot be read" />
      <ul className="plain-list long" tabIndex={0} aria-label="Families">
        {data?.indicators.map((indicator) => (
          <li key={indicator.idPattern}>
            <details>
              <summary>
                <code>{indicator.idPattern}</code> <span className="quiet">{indicator.description}</span>
              </summary>
              <p>{indicator.formula}</p>
              <p className="quiet">
                First value after {indicator.warmUp} candles{indicator.unit !== '' && `; unit: ${indicator.unit}`}. Such
                as {indicator.examples.join(', ')}.
              </p>
              <ul>
                {indicator.parameters.map((parameter) => (
                  <li key={parameter.name}>
                    <code>{parameter.name}</code> {parameter.minValue} to {parameter.maxValue}, {parameter.defaultValue}{' '}
                    when left out. {parameter.description}
                  </li>
                ))}
              </ul>
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
