import { describe, expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const LIST = '**/strategos.command.v1.CommandService/ListCommands';
const EXECUTORS = '**/strategos.command.v1.ExecutorService/*';
const FIRST_PAGE = 500;
/** The least that four attempts in vain take, with the shortest of their pauses. */
const FOUR_ATTEMPTS_MS = 1_400;

describe.runIf(hasChromium())('a list that cannot be read for a while', () => {
  test('is asked for again, ever more slowly, and says neither that it is empty nor that it is at its end', async () => {
    await using stack = await startStack();
    await stack.createExecutor('vps-1');
    const commands = await stack.commandClient();
    const ping = { executor: 'vps-1', kind: { case: 'ping' as const, value: {} } };
    for (const count of [FIRST_PAGE, 1]) {
      await commands.issueCommands({ requests: Array.from({ length: count }, () => ping) });
    }
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/strategies', { token: await stack.token() });
    let askedMs: number[] = [];
    const refuse = async (): Promise<void> => {
      askedMs = [];
      await page.route(LIST, async (route) => {
        askedMs.push(performance.now());
        await route.abort('connectionrefused');
      });
    };
    await refuse();
    await page.goto(`${stack.gatewayUrl}/commands`);
    await page.getByText('The list cannot be read.').waitFor();
    expect(await page.getByText('No command matches.').count()).toBe(0);
    await page.unroute(LIST);
    await page.getByText(`${FIRST_PAGE} shown, older ones as you scroll`).waitFor();

    await refuse();
    await page.evaluate("document.querySelector('.viewport').scrollTo(0, 1e9)");
    await page.getByText('The list cannot be read.').waitFor();
    await until(() => askedMs.length >= 4, 'the page asks four times');
    const [first = 0, , , fourth = 0] = askedMs;
    expect(fourth - first).toBeGreaterThan(FOUR_ATTEMPTS_MS);
    await page.unroute(LIST);
    await page.getByText(`${FIRST_PAGE + 1} shown`, { exact: true }).waitFor();
  });

  test('of executors is not said to have none', async () => {
    await using stack = await startStack();
    await stack.createExecutor('vps-1');
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/strategies', { token: await stack.token() });
    await page.route(EXECUTORS, (route) => route.abort());
    await page.goto(`${stack.gatewayUrl}/executors/vps-1`);
    // The stream that brings them is down, which the page says only after it was opened more than once.
    for (let looks = 0; looks < 3; looks += 1) await page.waitForRequest(/WatchExecutors/);
    await page.getByText('Loading …').waitFor();
    expect(await page.getByText('There is no executor').count()).toBe(0);
    await page.unroute(EXECUTORS);
    await page.getByRole('heading', { name: 'vps-1' }).waitFor();
    await page.getByRole('region', { name: 'Connection' }).waitFor();
  });

  test('of what waits is not told as nothing on the overview', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/strategies', { token: await stack.token() });
    await page.route('**/strategos.command.v1.CommandService/*', (route) => route.abort());
    await page.goto(stack.gatewayUrl);
    const stuck = page.getByRole('region', { name: 'Stuck' });
    await stuck.getByText('Loading …').waitFor();
    expect(await page.getByText(/Nothing waits|No commands in this window/).count()).toBe(0);
    await page.unroute('**/strategos.command.v1.CommandService/*');
    await stuck.getByText('Nothing waits for longer than 5 s.').waitFor();
    // Of nothing that has ended nobody can say how much of it succeeded.
    await page.locator('.figure', { hasText: 'Success rate' }).getByText('–', { exact: true }).waitFor();
  });
});
