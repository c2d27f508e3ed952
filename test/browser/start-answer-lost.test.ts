import { expect, test } from 'vitest';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { LostAnswers } from '../harness/lost-answers.ts';
import { startStack } from '../harness/stack.ts';
import { setTradingScene } from '../harness/trading-scene.ts';

const START = '**/strategos.session.v1.SessionService/StartSession';

test.runIf(hasChromium())('a start whose answer is lost is not told as failed, and stays one session', async () => {
  await using stack = await startStack({ trading: { evaluators: 1 } });
  await setTradingScene(stack);
  const sessions = await stack.client(SessionService);
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  const page = await browser.open('/sessions', { token: await stack.token() });
  await page.getByRole('button', { name: 'Start a session' }).click();
  const dialog = page.getByRole('dialog', { name: 'Start a session' });
  await dialog.getByLabel('Executor', { exact: true }).selectOption('vps-1');
  await dialog.getByLabel('Strategy', { exact: true }).selectOption({ index: 1 });
  await dialog.getByLabel('Symbols').fill('BTC_USDT');
  await dialog.getByLabel('Initial balance').fill('10000');
  const lost = await LostAnswers.of(page, START);
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await dialog.getByText('No answer says whether the session runs. Press again until one does').waitFor();
  expect(await dialog.getByText('nothing runs').count()).toBe(0);
  await lost.end();
  await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { name: 'paper session on vps-1' }).waitFor();
  expect((await sessions.listSessions({})).sessions).toHaveLength(1);
});
