import { expect, test } from 'vitest';
import { hasChromium, PHONE, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

const TABLET = { width: 1_024, height: 768 };
/** As long as a name may be, with nothing in it where a line could break. */
const NAME = 'a'.repeat(63);

test.runIf(hasChromium())('no page is wider than its window, whatever the names', async () => {
  await using stack = await startStack();
  await stack.createExecutor(NAME);
  const commands = await stack.commandClient();
  const ping = { case: 'ping' as const, value: { payload: '<b>bold</b>'.repeat(20) } };
  const { command } = await commands.issueCommand({ executor: NAME, kind: ping });
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  for (const viewport of [PHONE, TABLET]) {
    const page = await browser.open('/', { token: await stack.token(), viewport });
    for (const path of ['/', '/commands', `/commands/${command?.id}`, '/executors', `/executors/${NAME}`]) {
      await page.goto(`${stack.gatewayUrl}${path}`);
      const named = path === '/commands' ? 'ping' : NAME;
      await page.locator('main').getByText(named).filter({ visible: true }).first().waitFor();
      const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect({ path, over }).toEqual({ path, over: 0 });
    }
    await page.context().close();
  }
  expect(browser.complaints).toEqual([]);
});
