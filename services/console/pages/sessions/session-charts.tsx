import { useEffect, useRef, useState } from 'react';
import type { Position, Session, Signal } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { Chart, type Line } from '../../parts/chart.tsx';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';
import { aligned, type Point } from '../../parts/series.ts';
import { Tabs } from '../../parts/tabs.tsx';
import { msOf } from '../../parts/time.ts';
import { usePrices } from '../../stream/use-prices.ts';

const numberText = (value: number): string => value.toLocaleString(undefined, { maximumSignificantDigits: 7 });

const PRICE: readonly Line[] = [
  { name: 'price', colour: 'idle', text: numberText, width: 1.2 },
  { name: 'signal', colour: 'warn', text: numberText, dots: true },
  { name: 'entry', colour: 'good', text: numberText, dots: true },
  { name: 'exit', colour: 'bad', text: numberText, dots: true },
];
const EQUITY: readonly Line[] = [{ name: 'equity', colour: 'accent', text: numberText, points: true }];

/** Price of one of the session's symbols with its signals, entries and exits, and the session's equity; both live. */
export function SessionCharts({
  session,
  signals,
  positions,
}: {
  readonly session: Session;
  readonly signals: readonly Signal[];
  readonly positions: readonly Position[];
}) {
  const symbols = [...new Set(session.activations.map(({ symbol }) => symbol))];
  const [chosen, setChosen] = useState('');
  const symbol = symbols.includes(chosen) ? chosen : (symbols[0] ?? '');
  const { times, prices, freshness } = usePrices(symbol);
  const firstAt = times[0] ?? 0;
  const price: Point[] = times.map((at, index) => ({ at, value: prices[index] ?? 0 }));
  const onIt = positions.filter((position) => position.symbol === symbol);
  const marks = [
    signals.filter((signal) => signal.symbol === symbol).flatMap(({ time, price: at }) => pointOf(msOf(time), at)),
    onIt.flatMap(({ entryTime, entryPrice }) => pointOf(msOf(entryTime), entryPrice)),
    onIt.flatMap(({ exitTime, exitPrice }) => pointOf(msOf(exitTime), exitPrice)),
  ].map((points) => points.filter(({ at }) => at >= firstAt).toSorted((a, b) => a.at - b.at));
  const drawn = aligned([price, ...marks]);
  const seen = useSeenEquity(session, times.at(-1));
  const equity = withSeen(equityOf(session, positions), seen);
  const [signalCount = 0, entryCount = 0, exitCount = 0] = marks.map(({ length }) => length);
  return (
    <>
      <Panel title={`Price of ${symbol}`} actions={<FreshnessMark freshness={freshness} />}>
        {symbols.length > 1 && (
          <div className="body">
            <Tabs label="Symbol" tabs={symbols} chosen={symbol} onChoose={setChosen} />
          </div>
        )}
        {price.length === 0 ? (
          <Nothing>No price has come in yet.</Nothing>
        ) : (
          <Chart
            times={drawn.times}
            lines={PRICE}
            values={drawn.values}
            height={280}
            summary={`Price of ${symbol}, now ${prices.at(-1) ?? ''}, with ${signalCount} signals, ${entryCount} entries and ${exitCount} exits`}
          />
        )}
      </Panel>
      <Panel title="Equity">
        {equity.length < 2 ? (
          <Nothing>It moves with the first position.</Nothing>
        ) : (
          <Chart
            times={equity.map(({ at }) => at)}
            lines={EQUITY}
            values={[equity.map(({ value }) => value)]}
            summary={`Equity, from ${session.initialBalance} to ${session.equity}`}
          />
        )}
      </Panel>
    </>
  );
}

function pointOf(ms: number | undefined, price: string): Point[] {
  return ms === undefined || price === '' ? [] : [{ at: ms / 1_000, value: Number(price) }];
}

/** What the equity was at market times since the page was opened: open positions are valued as prices come in. */
function useSeenEquity({ equity }: Session, at: number | undefined): readonly Point[] {
  const [seen, setSeen] = useState<readonly Point[]>([]);
  const latest = useRef(at);
  latest.current = at;
  useEffect(() => {
    const time = latest.current;
    if (time === undefined || equity === '') return;
    setSeen((before) => [...before.filter((point) => point.at < time), { at: time, value: Number(equity) }]);
  }, [equity]);
  return seen;
}

/** Both in the order of time; what was seen counts from where it begins. */
function withSeen(steps: readonly Point[], seen: readonly Point[]): readonly Point[] {
  const [first] = seen;
  if (first === undefined) return steps;
  return [...steps.filter(({ at }) => at < first.at), ...seen];
}

/** For drawing alone: the balance after each position that was closed, in the order of market time. */
function equityOf(session: Session, positions: readonly Position[]): Point[] {
  const closed = positions
    .flatMap(({ exitTime, pnl }) =>
      exitTime === undefined || pnl === '' ? [] : [{ at: (msOf(exitTime) ?? 0) / 1_000, pnl: Number(pnl) }],
    )
    .toSorted((a, b) => a.at - b.at);
  const entries = positions.map(({ entryTime }) => msOf(entryTime)).filter((ms) => ms !== undefined);
  if (entries.length === 0) return [];
  let value = Number(session.initialBalance);
  const points: Point[] = [{ at: Math.min(...entries) / 1_000, value }];
  for (const { at, pnl } of closed) {
    value += pnl;
    const last = points.at(-1);
    if (last !== undefined && last.at === at) points[points.length - 1] = { at, value };
    else points.push({ at, value });
  }
  return points;
}
