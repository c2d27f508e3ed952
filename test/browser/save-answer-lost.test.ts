import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { LostAnswers } from '../harness/lost-answers.ts';
import { startStack } from '../harness/stack.ts';
import { EAGER, setTradingScene } from '../harness/trading-scene.ts';

/** Lets the next press arrive and loses its answer, and then all is well. */
async function pressTwice(page: Page, rpc: string, button: string, says: string): Promise<void> {
  const press = () => page.getByRole('button', { name: button, exact: true }).last().click();
  const lost = await LostAnswers.of(page, `**/*.${rpc}`);
  await press();
  await page.getByText(`Press again until one does: it is ${says} once`).waitFor();
  await lost.end();
  await press();
}

test.runIf(hasChromium())('what is saved or activated is so once, although an answer is lost', async () => {
  await using stack = await startStack({ trading: { evaluators: 1 } });
  const { strategyId } = await setTradingScene(stack);
  const [strategies, sessions] = [await stack.client(StrategyService), await stack.client(SessionService)];
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  const page = await browser.open(`/strategies/${strategyId}`, { token: await stack.token() });
  await page.getByLabel('Description').fill('said better');
  await pressTwice(page, 'StrategyService/UpdateStrategy', 'Save as the next revision', 'saved');
  await page.getByText('Saved as revision 2.').waitFor();
  expect((await strategies.listRevisions({ strategy: strategyId })).revisions).toHaveLength(2);

  await page.goto(`${stack.gatewayUrl}/strategies/new`);
  await page.getByRole('button', { name: 'JSON' }).click();
  await page.getByLabel(/The strategy in the JSON form/).fill(JSON.stringify({ ...EAGER, strategy_name: 'second' }));
  await pressTwice(page, 'StrategyService/CreateStrategy', 'Create', 'saved');
  await page.getByRole('heading', { name: 'second' }).waitFor();

  const { strategy } = await strategies.getStrategy({ strategy: 'second' });
  const { session } = await sessions.startSession({
    mode: SessionMode.PAPER,
    executor: 'vps-1',
    strategies: [{ strategy: strategyId, symbols: ['BTC_USDT'] }],
    initialBalance: '10000',
  });
  const id = session?.id ?? '';
  await page.goto(`${stack.gatewayUrl}/sessions/${id}`);
  await page.getByRole('button', { name: 'Activate a strategy' }).click();
  const dialog = page.getByRole('dialog', { name: 'Activate a strategy' });
  await dialog.getByLabel('Strategy', { exact: true }).selectOption(strategy?.id ?? '');
  await dialog.getByLabel('Symbols').fill('BTC_USDT');
  await pressTwice(page, 'SessionService/ActivateStrategy', 'Activate', 'activated');
  await dialog.waitFor({ state: 'detached' });
  expect((await sessions.getSession({ id })).session?.activations).toHaveLength(2);
});
