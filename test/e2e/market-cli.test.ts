import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { candlesCsv, wavyCloses } from '../harness/market-replica.ts';
import { type CliResult, ForegroundCli, runCli } from '../harness/run-cli.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

function lines(result: CliResult): Record<string, unknown>[] {
  return result.stdout
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test('strategos market: import, replay, simulate, list, watch, indicators, stop', { timeout: 120_000 }, async () => {
  await using stack = await startStack({ trading: { evaluators: 1 } });
  const env = { STRATEGOS_URL: stack.gatewayUrl, STRATEGOS_TOKEN: await stack.token() };
  const strategos = (...args: string[]) => runCli(['market', ...args], env);
  const folder = await mkdtemp(join(tmpdir(), 'strategos-market-'));
  try {
    const file = join(folder, 'a day.csv');
    await writeFile(file, candlesCsv(wavyCloses(300)));

    const imported = await strategos('import', file, '--name', 'day');
    expect(imported, imported.stderr).toMatchObject({ code: 0 });
    expect(imported.stdout).toMatch(/dataset +day\nform +candles\nrows +300/);
    expect((await strategos('datasets')).stdout).toMatch(/day +candles +300/);

    await using watch = ForegroundCli.start(['market', 'watch', 'btc_usdt', 'price', 'EMA-20', '--json'], env);
    await until(() => watch.stdout.includes('FRESHNESS_BLIND'), 'the watch has begun', 30_000);
    const replay = await strategos('replay', file, '--symbol', 'btc_usdt', '--speed', 'max');
    expect(replay, replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toContain('BTC_USDT is fed by source');
    await until(() => watch.stdout.includes('"sequence":"300"'), 'the watch has the last event', 30_000);

    const simulated = await strategos('simulate', '--symbol', 'SIM', '--interval', '1s', '--history', '30', '--json');
    expect(JSON.parse(simulated.stdout)).toMatchObject({
      source: { symbol: 'SIM', simulation: { seed: '1', historyCandles: 30, interval: '1s' } },
    });
    const again = await strategos('simulate', '--symbol', 'SIM');
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain('a simulation feeds SIM already; stop it, or start this one with replace');

    const listed = lines(await strategos('list', '--json'));
    expect(listed.map(({ symbol, state }) => [symbol, state])).toEqual([
      ['SIM', 'SOURCE_STATE_RUNNING'],
      ['BTC_USDT', 'SOURCE_STATE_COMPLETED'],
    ]);
    expect((await strategos('list')).stdout).toMatch(/BTC_USDT +replay of a-day-[0-9a-f]{8}, full speed +completed/);
    expect((await strategos('stop', 'SIM')).stdout).toContain('SIM is no longer fed');

    const indicators = await strategos('indicators', 'MACD-histogram');
    expect(indicators.stdout).toMatch(/MACD-histogram +macd_12_26_9_histogram +34/);
    expect(indicators.stdout).toContain('seeded with the first close of the series');
    expect((await strategos('indicators', 'emma')).code).toBe(1);
    expect((await strategos('replay', join(folder, 'none.csv'), '--symbol', 'A')).stderr).toContain(
      'there is no such file',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
