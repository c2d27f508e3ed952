import { Chart, type Line } from '../../parts/chart.tsx';
import { Panel } from '../../parts/page.tsx';
import { aligned, type Point } from '../../parts/series.ts';
import { msOf } from '../../parts/time.ts';
import type { Run } from './backtest-run.ts';

const numberText = (value: number): string => value.toLocaleString(undefined, { maximumSignificantDigits: 7 });

const PRICE: readonly Line[] = [
  { name: 'price', colour: 'idle', text: numberText, width: 1 },
  { name: 'signal', colour: 'warn', text: numberText, dots: true },
  { name: 'entry', colour: 'good', text: numberText, dots: true },
  { name: 'exit', colour: 'bad', text: numberText, dots: true },
];
const EQUITY: readonly Line[] = [{ name: 'equity', colour: 'accent', text: numberText }];

/** Price with signals, entries and exits; below it the equity. */
export function BacktestChart({ run }: { readonly run: Run }) {
  const trades = [...run.trades.values()];
  const entries: Point[] = trades.flatMap(({ entryTime, entryPrice }) => pointOf(msOf(entryTime), entryPrice));
  const exits: Point[] = trades.flatMap(({ exitTime, exitPrice }) => pointOf(msOf(exitTime), exitPrice));
  const price = aligned([run.prices, run.signals, entries, exits]);
  const equity = aligned([run.equity]);
  return (
    <div className="stack">
      <Panel title="Price, signals, entries and exits">
        <Chart
          times={price.times}
          lines={PRICE}
          values={price.values}
          height={280}
          summary={`Price with ${run.signals.length} signals, ${entries.length} entries and ${exits.length} exits`}
        />
      </Panel>
      {run.equity.length > 0 && (
        <Panel title="Equity">
          <Chart
            times={equity.times}
            lines={EQUITY}
            values={equity.values}
            summary={`Equity, ending at ${run.equity.at(-1)?.value ?? ''}`}
          />
        </Panel>
      )}
    </div>
  );
}

function pointOf(ms: number | undefined, price: string): Point[] {
  return ms === undefined || price === '' ? [] : [{ at: ms / 1_000, value: Number(price) }];
}
