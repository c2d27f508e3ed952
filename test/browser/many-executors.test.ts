import { expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

/** One more than the services list at once. */
const EXECUTORS = 1_001;
const OPEN = 1_001;
const LAST = `vps-${EXECUTORS}`;
const AT_ONCE = 20;

test.runIf(hasChromium())(
  'of more executors and open commands than one page of a list none is left out unsaid',
  async () => {
    await using stack = await startStack();
    const [executors, commands] = [await stack.executorClient(), await stack.commandClient()];
    const names = Array.from({ length: EXECUTORS }, (_, at) => `vps-${String(at + 1).padStart(4, '0')}`);
    for (let at = 0; at < names.length; at += AT_ONCE) {
      await Promise.all(names.slice(at, at + AT_ONCE).map((name) => executors.createExecutor({ name })));
    }
    for (let at = 0; at < OPEN; at += 500) {
      const requests = Array.from({ length: Math.min(500, OPEN - at) }, () => ({
        executor: LAST,
        kind: { case: 'ping' as const, value: {} },
      }));
      await commands.issueCommands({ requests });
    }
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/commands', { token: await stack.token() });
    await page.getByLabel('Executor', { exact: true }).selectOption(LAST);
    await page.getByText(/500 shown/).waitFor();

    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('only the newest 1000 were looked at').waitFor();
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    await page.getByText('Only the first 1000 executors by name are offered; there are more.').waitFor();
    expect(browser.complaints).toEqual([]);
  },
);
