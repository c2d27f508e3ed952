import { expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

const DAY_MS = 86_400_000;
const SHOWN_MS_MAX = 10_000;

test.runIf(hasChromium())('a page that is left open over midnight tells of yesterday with its day', async () => {
  await using stack = await startStack();
  await stack.createExecutor('vps-1');
  const commands = await stack.commandClient();
  await commands.issueCommand({ executor: 'vps-1', kind: { case: 'ping', value: {} } });
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  const page = await browser.open('/commands', { token: await stack.token() });
  const time = page
    .getByRole('row', { name: /ping vps-1/ })
    .getByRole('cell')
    .first();
  const text = (): Promise<string | null> => time.textContent();
  expect(await text()).toMatch(/^\d\d:\d\d:\d\d$/);
  await page.clock.setFixedTime(Date.now() + DAY_MS);
  await expect.poll(text, { timeout: SHOWN_MS_MAX }).toMatch(/^\d\d \w+ \d\d:\d\d$|\d{4}$/);
});
