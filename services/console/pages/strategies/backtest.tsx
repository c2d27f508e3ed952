import { ConnectError } from '@connectrpc/connect';
import { useQuery } from '@connectrpc/connect-query';
import { type SyntheticEvent, useEffect, useRef, useState } from 'react';
import { MarketService } from '../../../../proto/gen/strategos/market/v1/market_service_pb.js';
import { Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { backtests, NO_DEADLINE } from '../../stream/services.ts';
import { BacktestChart } from './backtest-chart.tsx';
import { EMPTY_RUN, type Run, withEvents } from './backtest-run.ts';
import { BacktestSummaryFacts, BacktestTrades } from './backtest-result.tsx';
import { textOf } from './draft.ts';
import type { Editing } from './use-editing.ts';

/** Events that come in between two drawings are gathered. */
const DRAW_MS = 120;

/** Runs the draft, saved or not, over recorded prices, and draws what it would have done. */
export function Backtest({ editing }: { readonly editing: Editing }) {
  const datasets = useQuery(MarketService.method.listDatasets, {}).data?.datasets ?? [];
  const [run, setRun] = useState<Run>(EMPTY_RUN);
  const [error, setError] = useState<unknown>(null);
  const [running, setRunning] = useState(false);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    setRun(EMPTY_RUN);
    setError(null);
    setRunning(true);
    follow(textOf(editing.draft), fields, controller.signal, setRun)
      .catch((thrown: unknown) => {
        if (!controller.signal.aborted) setError(ConnectError.from(thrown));
      })
      .finally(() => setRunning(false));
  };

  return (
    <div className="stack">
      <Panel title="Back-test">
        <form className="form body" onSubmit={submit}>
          <div className="fields">
            <div className="field">
              <label htmlFor="dataset">Dataset</label>
              <select id="dataset" name="dataset">
                <option value="">a file of mine</option>
                {datasets.map(({ name, rows }) => (
                  <option key={name} value={name}>
                    {name} ({String(rows)} rows)
                  </option>
                ))}
              </select>
            </div>
            <div className="field">
              <label htmlFor="csv">File (CSV or CSV.gz)</label>
              <input id="csv" name="csv" type="file" accept=".csv,.gz" />
            </div>
            <div className="field">
              <label htmlFor="bt-symbol">Symbol</label>
              <input id="bt-symbol" name="symbol" required placeholder="BTC_USDT" spellCheck={false} />
            </div>
            <div className="field">
              <label htmlFor="balance">Initial balance</label>
              <input id="balance" name="balance" required inputMode="decimal" defaultValue="10000" />
            </div>
            <div className="field">
              <label htmlFor="fee">Fee (%)</label>
              <input id="fee" name="fee" inputMode="decimal" defaultValue="0.1" />
            </div>
            <div className="field">
              <label htmlFor="slippage">Slippage (%)</label>
              <input id="slippage" name="slippage" inputMode="decimal" defaultValue="0" />
            </div>
          </div>
          <Problem error={error} what="The back-test did not run to its end" />
          <div className="row">
            <button
              type="submit"
              className="button primary"
              disabled={editing.unread !== undefined || editing.verdict?.valid !== true}
            >
              Run {editing.changed ? 'the draft' : 'this revision'}
            </button>
            {running && (
              <button type="button" className="button" onClick={() => abort.current?.abort()}>
                Stop
              </button>
            )}
            <span role="status">
              {running ? `${Math.floor(run.progress)} %` : run.summary === undefined ? '' : 'Done.'}
            </span>
          </div>
        </form>
      </Panel>
      {run.prices.length > 0 && <BacktestChart run={run} />}
      {run.summary !== undefined && <BacktestSummaryFacts summary={run.summary} />}
      {run.trades.size > 0 && <BacktestTrades run={run} />}
    </div>
  );
}

async function follow(json: string, fields: FormData, signal: AbortSignal, onRun: (run: Run) => void): Promise<void> {
  const file = fields.get('csv');
  const dataset = textField(fields, 'dataset');
  const csv = dataset === '' && file instanceof File ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array();
  const stream = backtests.runBacktest(
    {
      strategies: [{ source: { case: 'json', value: json } }],
      data: dataset === '' ? { case: 'csv', value: csv } : { case: 'dataset', value: dataset },
      symbol: textField(fields, 'symbol'),
      initialBalance: textField(fields, 'balance'),
      feePercent: textField(fields, 'fee'),
      slippagePercent: textField(fields, 'slippage'),
    },
    { signal, ...NO_DEADLINE },
  );
  let run = EMPTY_RUN;
  let drawnMs = performance.now();
  let gathered: Parameters<typeof withEvents>[1][number][] = [];
  const draw = (): void => {
    run = withEvents(run, gathered);
    gathered = [];
    drawnMs = performance.now();
    onRun(run);
  };
  for await (const { event } of stream) {
    gathered.push(event);
    if (performance.now() - drawnMs > DRAW_MS) draw();
  }
  draw();
}

function textField(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
