import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BacktestEvent, BacktestSummary, Participant, Trade } from '../../backtest/index.ts';

type Transition = Extract<BacktestEvent, { readonly type: 'evaluation' }>['record'];

export interface Report {
  readonly symbol: string;
  readonly participant: Participant;
  readonly trades: readonly Trade[];
  readonly transitions: readonly Transition[];
  readonly summary: BacktestSummary;
  readonly initialBalance: string;
}

/** A page of its own, chart library included: price with signals, entries and exits, the equity below, then every trade. */
export async function reportPage(report: Report): Promise<string> {
  const { symbol, participant, summary } = report;
  const resolve = createRequire(import.meta.url).resolve;
  const [script, style] = await Promise.all([
    readFile(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(resolve('uplot/dist/uPlot.min.css'), 'utf8'),
  ]);
  const title = `${participant.definition.strategyName} on ${symbol}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}${PAGE_STYLE}</style>
<main>
<h1>${escaped(title)}</h1>
<dl>${facts(report)}</dl>
<h2>Price</h2>
<p class="legend"><span class="signal">◆</span> signal <span class="entry">▲</span> entry <span class="exit">▼</span> exit</p>
<div id="price" role="img" aria-label="Price with ${summary.trades} entries and their exits"></div>
<h2>Equity</h2>
<div id="equity" role="img" aria-label="Equity from ${escaped(report.initialBalance)} to ${escaped(summary.equity)}"></div>
<h2>Trades</h2>
<div class="scroll"><table><thead><tr><th>Entry<th>Price<th>Quantity<th>Exit<th>Price<th>Reason<th>Profit</tr></thead>
<tbody>${report.trades.map(tradeRow).join('\n')}</tbody></table></div>
</main>
<script type="application/json" id="data">${chartData(report)}</script>
<script>${script}</script>
<script>${PAGE_SCRIPT}</script>
</html>
`;
}

const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --line: #d8dce2; --price: #2563eb; --entry: #15803d; --exit: #b91c1c; --signal: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #14171a; --line: #343a42; --price: #7aa7ff; --entry: #4ade80; --exit: #f87171; --signal: #fbbf24; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; margin: 0; }
dt { font-size: .8rem; opacity: .75; } dd { margin: 0; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.scroll { overflow-x: auto; } .loss { color: var(--exit); } .gain { color: var(--entry); }
.signal { color: var(--signal); } .entry { color: var(--entry); } .exit { color: var(--exit); }
.legend { font-size: .85rem; }
`;

const PAGE_SCRIPT = `
const data = JSON.parse(document.getElementById('data').textContent);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const axis = { size: 72, stroke: () => css('--ink'), grid: { stroke: () => css('--line'), width: 1 } };
const marks = (u) => {
  const { ctx } = u;
  const shapes = { signal: [[0, -6], [6, 0], [0, 6], [-6, 0]], entry: [[0, 4], [6, 14], [-6, 14]], exit: [[0, -4], [6, -14], [-6, -14]] };
  for (const [kind, time, price] of data.marks) {
    const x = u.valToPos(time, 'x', true), y = u.valToPos(price, 'y', true);
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
    ctx.beginPath();
    for (const [dx, dy] of shapes[kind]) ctx.lineTo(x + dx * devicePixelRatio, y + dy * devicePixelRatio);
    ctx.closePath();
    ctx.fillStyle = css('--' + kind);
    ctx.fill();
  }
};
const draw = (id, points, height, hooks) => {
  const place = document.getElementById(id);
  const width = () => place.clientWidth;
  const plot = new uPlot({ width: width(), height, hooks, axes: [axis, axis], legend: { show: false },
    series: [{}, { stroke: () => css('--price'), width: 1.5 }] }, points, place);
  addEventListener('resize', () => plot.setSize({ width: width(), height }));
};
draw('price', data.prices, 380, { draw: [marks] });
draw('equity', data.equity, 200, {});
`;

function facts({ summary, initialBalance, transitions }: Report): string {
  const signals = transitions.filter(({ to }) => to === 'SIGNAL_DETECTED').length;
  const entries: readonly (readonly [string, string])[] = [
    ['Signals', String(signals)],
    ['Trades', String(summary.trades)],
    ['With profit', String(summary.winningTrades)],
    ['Open', String(summary.openPositions)],
    ['Profit', summary.realisedPnl],
    ['Fees', summary.fees],
    ['Initial balance', initialBalance],
    ['Equity', summary.equity],
    ['Largest fall', `${summary.maxDrawdownPct} %`],
  ];
  return entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('');
}

function tradeRow({ entryTimeMs, entryPrice, quantity, exit }: Trade): string {
  const cells = [
    moment(entryTimeMs),
    entryPrice,
    quantity,
    exit === undefined ? 'open' : moment(exit.timeMs),
    exit?.price ?? '',
    exit?.reason ?? '',
  ];
  const pnl = exit?.pnl ?? '';
  const profit = `<td class="${pnl.startsWith('-') ? 'loss' : 'gain'}">${escaped(pnl)}`;
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}`).join('')}${profit}</tr>`;
}

/** Seconds and numbers, as the chart library takes them. */
function chartData({ summary, trades, transitions }: Report): string {
  const signals = transitions
    .filter(({ to }) => to === 'SIGNAL_DETECTED')
    .map(({ timeMs, price }) => ['signal', timeMs / 1_000, Number(price)]);
  const deals = trades.flatMap(({ entryTimeMs, entryPrice, exit }) => [
    ['entry', entryTimeMs / 1_000, Number(entryPrice)],
    ...(exit === undefined ? [] : [['exit', exit.timeMs / 1_000, Number(exit.price)]]),
  ]);
  const data = { prices: columns(summary.prices), equity: columns(summary.equityCurve), marks: [...signals, ...deals] };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

function columns(points: BacktestSummary['prices']): number[][] {
  return [points.map(({ timeMs }) => timeMs / 1_000), points.map(({ value }) => value)];
}

function moment(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
