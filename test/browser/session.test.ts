import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';
import { setTradingScene } from '../harness/trading-scene.ts';

/** Starts a paper session of the one strategy there is, as a person does, and ends on its page. */
async function startInPage(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start a session' }).click();
  const dialog = page.getByRole('dialog', { name: 'Start a session' });
  await dialog.getByLabel('Executor', { exact: true }).selectOption('vps-1');
  await dialog.getByLabel('Strategy', { exact: true }).selectOption({ label: 'eager (revision 1)' });
  await dialog.getByLabel('Symbols').fill('btc_usdt');
  await dialog.getByLabel('Initial balance').fill('10000');
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { name: 'paper session on vps-1' }).waitFor();
  await page.locator('.page-head').getByText('active').waitFor();
}

describe.runIf(hasChromium())('a session', () => {
  test("is started in the page, signals and enters before one's eyes, explains itself, and ends when it is told to", async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await setTradingScene(stack);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/sessions', { token: await stack.token() });
    await startInPage(page);
    const sessionUrl = page.url();

    // Active is said of the strategy only when its command was executed.
    const activation = page.getByRole('list', { name: 'Activations' }).getByRole('listitem');
    await activation.getByText('active', { exact: true }).waitFor();
    await activation.getByRole('link', { name: 'command' }).click();
    await page.getByRole('heading', { name: 'start_strategy to vps-1' }).waitFor();
    await page.locator('.page-head').getByText('succeeded').waitFor();
    await page.goBack();

    // A signal comes by itself, then the position that it led to.
    const signals = page.getByRole('region', { name: 'Signals table' });
    await signals
      .getByRole('row', { name: /BTC_USDT eager r1/ })
      .first()
      .waitFor();
    await page
      .getByRole('region', { name: 'Positions table' })
      .getByRole('row', { name: /open BTC_USDT eager/ })
      .waitFor();
    await page.getByRole('img', { name: /^Price of BTC_USDT/ }).waitFor();

    await activation.getByRole('link', { name: 'eager on BTC_USDT' }).click();
    await page.getByRole('img', { name: 'State machine; now in position active' }).waitFor();
    await page.getByRole('region', { name: 'Why did it not trade?' }).getByText('ZE1 close').waitFor();
    await page.getByText(/signal detected → entry evaluation/).waitFor();

    await page.goto(sessionUrl);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.page-head').getByText('paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.page-head').getByText('active').waitFor();

    await page.getByRole('button', { name: 'Deactivate eager on BTC_USDT' }).click();
    await page.getByLabel('Close its position now instead').check();
    await page.getByRole('button', { name: 'Deactivate', exact: true }).click();
    await activation.getByText('inactive').waitFor();
    await page
      .getByRole('region', { name: 'Positions table' })
      .getByRole('row', { name: /closed BTC_USDT eager/ })
      .waitFor();

    await page.getByRole('button', { name: 'Stop …' }).click();
    await page.getByRole('button', { name: 'Stop and close positions' }).click();
    await page.locator('.page-head').getByText('stopped').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('heading', { name: 'Sessions (1)' }).waitFor();
    await page.getByLabel('Only those that run').check();
    await page.getByText('None runs.').waitFor();
    expect(browser.complaints).toEqual([]);
  });

  test('that cannot be started says what is missing, and nothing runs', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await setTradingScene(stack);
    await stack.createExecutor('vps-2');
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/sessions', { token: await stack.token() });
    await page.getByRole('button', { name: 'Start a session' }).click();
    await page.getByLabel('Executor', { exact: true }).selectOption('vps-2');
    await page.getByLabel('Strategy', { exact: true }).selectOption({ index: 1 });
    await page.getByLabel('Symbols').fill('BTC_USDT');
    await page.getByLabel('Initial balance').fill('10000');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: 'The session did not start; nothing runs' })
      .waitFor({ timeout: 40_000 });
    const activation = page.getByRole('list', { name: 'Activations' }).getByRole('listitem');
    await activation
      .filter({ hasText: 'eager on BTC_USDT' })
      .getByText(/executor|vps-2/)
      .first()
      .waitFor();
  });

  test('ends by the kill switch, which names what it will do and shows who has confirmed', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await setTradingScene(stack);
    await stack.createExecutor('vps-2');
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/sessions', { token: await stack.token() });
    await startInPage(page);
    await page
      .getByRole('region', { name: 'Positions table' })
      .getByRole('row', { name: /open BTC_USDT/ })
      .waitFor();
    const sessionUrl = page.url();

    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill switch' });
    await dialog.getByText('stop 1 session with everything that runs in it').waitFor();
    await dialog.getByText(/send the stop to vps-1, vps-2, ahead of every other command/).waitFor();
    await dialog.getByText('close every open position at the market price').waitFor();
    await dialog.getByText(/wait for vps-2: away now/).waitFor();
    await dialog.getByRole('button', { name: 'Stop all 2 executors and close positions' }).click();
    const acknowledgements = dialog.getByRole('list', { name: 'Acknowledgements' });
    await acknowledgements.getByRole('listitem').filter({ hasText: 'vps-1' }).getByText('confirmed').waitFor();
    await acknowledgements
      .getByRole('listitem')
      .filter({ hasText: 'vps-2' })
      .getByText('away', { exact: true })
      .waitFor();

    // Every page says that somebody has not confirmed, and leads to who.
    await page.goto(sessionUrl);
    const notice = page.getByRole('status').filter({ hasText: 'Kill switch under way' });
    await notice.getByText('1 of 2 executors have confirmed').waitFor();
    await notice.getByRole('link').click();
    await page.getByRole('region', { name: 'Kill switch: not everybody has confirmed' }).waitFor();
    await notice.waitFor({ state: 'detached' });

    await page.goto(sessionUrl);
    await page.locator('.page-head').getByText('stopped').waitFor();
    await page
      .getByRole('region', { name: 'Positions table' })
      .getByRole('row', { name: /closed BTC_USDT/ })
      .waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
