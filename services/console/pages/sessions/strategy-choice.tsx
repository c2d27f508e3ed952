import { useQuery } from '@connectrpc/connect-query';
import { MarketService } from '../../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { useStrategies } from '../../stream/use-strategies.ts';

/** A strategy with the symbols that it is to trade, as typed. */
export interface Choice {
  readonly strategy: string;
  readonly symbols: string;
}

/** Symbols separated by commas or blanks. */
export function symbolsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((symbol) => symbol !== '');
}

const SYMBOLS = 'fed-symbols';

/** Choosing strategies and symbols: no symbol is ever filled in, those that are fed now are offered. */
export function StrategyChoices({
  choices,
  onChange,
  single = false,
}: {
  readonly choices: readonly Choice[];
  readonly onChange: (choices: readonly Choice[]) => void;
  readonly single?: boolean;
}) {
  const strategies = useStrategies();
  const sources = useQuery(MarketService.method.listSources, { runningOnly: true }).data?.sources ?? [];
  const put = (index: number, choice: Choice): void =>
    onChange(choices.map((each, at) => (at === index ? choice : each)));
  return (
    <>
      <datalist id={SYMBOLS}>
        {[...new Set(sources.map(({ symbol }) => symbol))].map((symbol) => (
          <option key={symbol} value={symbol} />
        ))}
      </datalist>
      {choices.map((choice, index) => (
        <div key={`choice ${index}`} className="fields">
          <div className="field">
            <label htmlFor={`strategy-${index}`}>Strategy</label>
            <select
              id={`strategy-${index}`}
              required
              value={choice.strategy}
              onChange={(event) => put(index, { ...choice, strategy: event.target.value })}
            >
              <option value="">choose …</option>
              {strategies.map((strategy) => (
                <option key={strategy.id} value={strategy.id}>
                  {strategy.definition?.strategyName} (revision {String(strategy.revision)})
                </option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor={`symbols-${index}`}>Symbols</label>
            <input
              id={`symbols-${index}`}
              required
              list={SYMBOLS}
              autoComplete="off"
              spellCheck={false}
              placeholder="BTC_USDT, ETH_USDT"
              value={choice.symbols}
              onChange={(event) => put(index, { ...choice, symbols: event.target.value })}
            />
          </div>
        </div>
      ))}
      {!single && (
        <div className="row">
          <button
            type="button"
            className="button small"
            onClick={() => onChange([...choices, { strategy: '', symbols: '' }])}
          >
            Add a strategy
          </button>
          {choices.length > 1 && (
            <button type="button" className="button small" onClick={() => onChange(choices.slice(0, -1))}>
              Take the last one out
            </button>
          )}
        </div>
      )}
    </>
  );
}
