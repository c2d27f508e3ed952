import { readFile, writeFile } from 'node:fs/promises';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { simulate } from '../../services/market/index.ts';
import { realData } from '../harness/market-data.ts';
import { runCli } from '../harness/run-cli.ts';

const PUMP = {
  strategy_name: 'pump',
  s1_signal: { conditions: [{ id: 'rise', indicatorId: 'Pump-Magnitude-Pct', operator: '>=', value: 1 }] },
  z1_entry: {
    conditions: [{ id: 'still', indicatorId: 'price_velocity', operator: '>', value: 0 }],
    positionSize: { type: 'percentage', value: 10 },
    stopLoss: { enabled: true, offsetPercent: 1 },
    takeProfit: { enabled: true, offsetPercent: 2 },
  },
  ze1_close: { conditions: [{ id: 'fall', indicatorId: 'pump_magnitude_pct', operator: '<', value: -1 }] },
  o1_cancel: { timeoutSeconds: 300, conditions: [] },
  emergency_exit: {
    conditions: [{ id: 'crash', indicatorId: 'pump_magnitude_pct', operator: '<', value: -5 }],
    cooldownMinutes: 30,
  },
  global_limits: { max_leverage: 3, stop_loss_buffer_pct: 10 },
};

function generatedCsv(candles: number): Buffer {
  const settings = { seed: 5n, startPrice: '250', intervalMs: 60_000, pumpEvery: 120, crashEvery: 200 };
  const rows = [...simulate(settings, 1_700_000_040_000).take(candles)].map(
    ({ openTimeMs, open, high, low, close, volume }) => [openTimeMs, open, high, low, close, volume].join(','),
  );
  return gzipSync(['timestamp_ms,open,high,low,close,volume', ...rows].join('\n'));
}

interface Line {
  readonly kind: string;
  readonly [field: string]: unknown;
}

function linesOf(stdout: string): Line[] {
  return stdout
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line));
}

describe('strategos backtest', () => {
  test('tells every transition and trade, twice in the same bytes, and draws them', async () => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'backtest-'));
    const strategy = join(home.path, 'pump.json');
    const data = join(home.path, 'SIM_USDT-1m.csv.gz');
    const html = join(home.path, 'report.html');
    await writeFile(strategy, JSON.stringify(PUMP));
    await writeFile(data, generatedCsv(4_000));
    const args = ['backtest', '--strategy', strategy, '--data', data, '--html', html];
    const first = await runCli([...args, '--json']);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    expect((await runCli([...args, '--json'])).stdout).toBe(first.stdout);
    const lines = linesOf(first.stdout);
    const trades = lines.filter(({ kind }) => kind === 'trade');
    expect(trades.length).toBeGreaterThan(10);
    expect(trades[0]).toMatchObject({ symbol: 'SIM_USDT', entryTimeMs: expect.any(Number), pnl: expect.any(String) });
    const reasons = new Set(trades.map(({ exitReason }) => exitReason));
    expect(reasons).toContain('stop_loss');
    expect(reasons).toContain('take_profit');
    expect(lines.find(({ kind }) => kind === 'transition')).toMatchObject({
      symbol: 'SIM_USDT',
      from: 'MONITORING',
      to: 'SIGNAL_DETECTED',
      section: 's1_signal',
      reason: 'conditions_met',
    });
    const page = await readFile(html, 'utf8');
    expect(page).toContain('pump on SIM_USDT');
    expect(page.split('<tr><td>').length - 1).toBe(trades.length);
    expect(page).not.toMatch(/(?:src|href)=/);
    const table = await runCli(args);
    expect(table.stdout).toContain(`${trades.length}, `);
  });

  test('a month of real minutes gives the same twice', async ({ skip }) => {
    const bytes = realData('BTC_USDT-1m-2022-01.csv.gz');
    if (bytes === undefined) return skip('the data are not there');
    await using home = await mkdtempDisposable(join(tmpdir(), 'backtest-'));
    const strategy = join(home.path, 'pump.json');
    const data = join(home.path, 'BTC_USDT-1m.csv.gz');
    await writeFile(
      strategy,
      JSON.stringify({
        ...PUMP,
        s1_signal: { conditions: [{ id: 'rise', indicatorId: 'pump_magnitude_pct', operator: '>=', value: 0.5 }] },
      }),
    );
    await writeFile(data, bytes);
    const args = ['backtest', '--strategy', strategy, '--data', data, '--json'];
    const first = await runCli(args);
    expect((await runCli(args)).stdout).toBe(first.stdout);
    const lines = linesOf(first.stdout);
    expect(lines.at(-1)).toMatchObject({ kind: 'summary', events: 45_031 });
    expect(lines.filter(({ kind }) => kind === 'trade').length).toBeGreaterThan(20);
  });

  test('says everything that is wrong with a strategy, and what a file lacks', async () => {
    await using home = await mkdtempDisposable(join(tmpdir(), 'backtest-'));
    const strategy = join(home.path, 'bad.json');
    const data = join(home.path, 'prices.csv');
    await writeFile(
      strategy,
      JSON.stringify({
        ...PUMP,
        ze1_close: { conditions: [{ id: 'x', indicatorId: 'pumpp', operator: '~', value: 1 }] },
        colour: 'red',
      }),
    );
    await writeFile(data, 'time,price\n1,2\n');
    const refused = await runCli(['backtest', '--strategy', strategy, '--data', data]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('ze1_close.conditions[0].operator');
    expect(refused.stderr).toContain('colour');
    await writeFile(strategy, JSON.stringify(PUMP));
    const unreadable = await runCli(['backtest', '--strategy', strategy, '--data', data]);
    expect(unreadable.code).toBe(1);
    expect(unreadable.stderr).toContain('timestamp_ms,open,high,low,close,volume');
    expect((await runCli(['backtest', '--strategy', strategy])).code).toBe(2);
  });
});
