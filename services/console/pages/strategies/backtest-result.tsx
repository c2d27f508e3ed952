import type { BacktestSummary } from '../../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import { Facts } from '../../parts/facts.tsx';
import { decimalText } from '../../parts/number.ts';
import { Panel } from '../../parts/page.tsx';
import { PositionTable } from '../../parts/position-table.tsx';
import type { Run } from './backtest-run.ts';

export function BacktestSummaryFacts({ summary }: { readonly summary: BacktestSummary }) {
  const { data } = summary;
  return (
    <Panel title="Summary">
      <Facts
        rows={[
          ['Equity', `${decimalText(summary.equity, 2)} from ${decimalText(summary.initialBalance, 2)}`],
          ['Realised', decimalText(summary.realisedPnl, 2)],
          ['Fees', decimalText(summary.fees, 2)],
          ['Largest drawdown', `${decimalText(summary.maxDrawdownPct, 2)} %`],
          ['Trades', `${summary.trades}, ${summary.winningTrades} with profit`],
          ['Still open', String(summary.openPositions)],
          ['Transitions', String(summary.transitions)],
          ['Data', data === undefined ? '' : `${data.events} events of ${data.rows} rows`],
          ['Faulty rows', data === undefined ? '' : String(data.duplicates + data.outOfOrder + data.malformed)],
          ['Gaps', data === undefined ? '' : String(data.gaps)],
        ]}
      />
    </Panel>
  );
}

export function BacktestTrades({ run }: { readonly run: Run }) {
  return (
    <Panel title={`Trades (${run.trades.size})`}>
      <PositionTable positions={[...run.trades.values()]} />
    </Panel>
  );
}
