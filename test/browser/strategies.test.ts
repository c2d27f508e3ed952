import { describe, expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

/** Minutes of a price that rises for a while, falls back, and does so again. */
function wavyCandles(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const price = (100 + 10 * Math.sin(index / 20)).toFixed(4);
    return `${1_700_000_040_000 + index * 60_000},${price},${price},${price},${price},5`;
  });
  return `timestamp_ms,open,high,low,close,volume\n${rows.join('\n')}\n`;
}

describe.runIf(hasChromium())('the strategies page', () => {
  test('builds a strategy, judges it as one types, keeps its revisions, and tries it on a file of prices', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/strategies/new', { token: await stack.token() });

    const verdict = page.getByRole('region', { name: 'Verdict' });
    await verdict.getByText(/to put right/).waitFor();
    await page.getByLabel('Name').fill('dip_buyer');
    await page.getByRole('button', { name: 'Add a condition to s1_signal' }).click();
    const signal = page.getByRole('group', { name: 's1_signal condition 1' });
    await signal.getByLabel('s1_signal condition 1: indicator').fill('rsi_fourteen');
    await signal.getByText(/rsi/).waitFor();
    expect(await page.getByRole('button', { name: 'Create' }).isDisabled()).toBe(true);
    await signal.getByLabel('s1_signal condition 1: indicator').fill('rsi_14');
    await signal.getByLabel('s1_signal condition 1: operator').selectOption('<');
    await signal.getByLabel('s1_signal condition 1: value').fill('35');
    await verdict.getByText('valid, can be saved').waitFor();

    // What is typed as JSON is what the builder shows; names in camelCase are read too.
    await page.getByRole('button', { name: 'JSON' }).click();
    const text = page.getByLabel(/The strategy in the JSON form/);
    const draft: Record<string, unknown> = JSON.parse(await text.inputValue());
    expect(draft).toMatchObject({
      strategy_name: 'dip_buyer',
      s1_signal: { conditions: [{ indicatorId: 'rsi_14', value: 35 }] },
    });
    const { z1_entry: _, ...others } = draft;
    const z1Entry = {
      conditions: [{ id: 'turn', indicator_id: 'rsi_14', operator: '>', value: 40 }],
      positionSize: { type: 'percentage', value: 20 },
      take_profit: { enabled: true, offset_percent: 5 },
      stopLoss: { enabled: true, offsetPercent: 5 },
    };
    await text.fill(JSON.stringify({ ...others, z1Entry }));
    await page.getByRole('button', { name: 'Builder' }).click();
    expect(await page.getByLabel('z1_entry condition 1: value').inputValue()).toBe('40');
    expect(await page.getByLabel('Take profit offset (%)').inputValue()).toBe('5');
    await verdict.getByText('valid, can be saved').waitFor();
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('Revision 1', { exact: true }).waitFor();

    await page.getByLabel('s1_signal condition 1: value').fill('30');
    await page.getByText('Revision 1, with changes that are not saved').waitFor();
    await page.getByRole('button', { name: 'Save as the next revision' }).click();
    await page.getByText('Revision 2', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Revisions' }).click();
    const change = page.getByRole('row', { name: /s1_signal\.conditions\[cond1\]\.value/ });
    expect(await change.first().innerText()).toMatch(/35\s+30/);
    await page.getByRole('button', { name: 'Roll-out' }).click();
    await page.getByText('the account is at revision 2').waitFor();

    await page.getByRole('button', { name: 'Back-test' }).click();
    await page.getByLabel('File (CSV or CSV.gz)').setInputFiles({
      name: 'waves.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(wavyCandles(1_000)),
    });
    await page.getByLabel('Symbol').fill('BTC_USDT');
    await page.getByRole('button', { name: 'Run this revision' }).click();
    await page.getByText('Done.').waitFor();
    await page
      .getByRole('img', { name: /^Price with [1-9]\d* signals, [1-9]\d* entries and [1-9]\d* exits$/ })
      .waitFor();
    await page.getByRole('region', { name: 'Summary' }).getByText('1000 events of 1000 rows').waitFor();
    await page
      .getByRole('region', { name: 'Positions table' })
      .getByRole('row', { name: /closed BTC_USDT dip_buyer/ })
      .first()
      .waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
