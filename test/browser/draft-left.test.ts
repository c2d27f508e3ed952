import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { EAGER } from '../harness/trading-scene.ts';

async function storedStrategy(stack: TestStack): Promise<string> {
  const strategies = await stack.client(StrategyService);
  const { strategy } = await strategies.createStrategy({ source: { case: 'json', value: JSON.stringify(EAGER) } });
  return strategy?.id ?? '';
}

/** The page asks again for what it shows, as it does when one comes back to it from another window. */
async function comeBack(page: Page): Promise<void> {
  await page.evaluate("window.dispatchEvent(new Event('visibilitychange'))");
}

describe.runIf(hasChromium())('a draft that is not saved', () => {
  test('is there when one comes back from another page, and goes when it is discarded', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    const id = await storedStrategy(stack);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open(`/strategies/${id}`, { token: await stack.token() });
    await page.getByLabel('Description').fill('half a thought');
    await page.getByRole('link', { name: 'Commands' }).click();
    await page.getByRole('heading', { name: 'Commands' }).waitFor();
    // Also elsewhere the browser asks before it is lost.
    const asked = page.waitForEvent('dialog');
    const reloaded = page.reload().catch(() => undefined);
    await (await asked).dismiss();
    await reloaded;
    await page.goBack();
    await page.getByText('Revision 1, with changes that are not saved').waitFor();
    expect(await page.getByLabel('Description').inputValue()).toBe('half a thought');
    await page.getByRole('button', { name: 'Discard changes' }).click();
    expect(await page.getByLabel('Description').inputValue()).toBe(EAGER.description);
    await page.getByText('Revision 1', { exact: true }).waitFor();
  });

  test('is not saved in place of a text that cannot be read', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    const id = await storedStrategy(stack);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open(`/strategies/${id}?tab=JSON`, { token: await stack.token() });
    const text = page.getByLabel(/The strategy in the JSON form/);
    const json = await text.inputValue();
    await text.fill(json.replace(EAGER.description, 'changed'));
    const save = page.getByRole('button', { name: 'Save as the next revision', disabled: false });
    await save.waitFor();
    await text.fill(json.replace(EAGER.description, 'changed again').slice(0, -1));
    await save.waitFor({ state: 'detached' });
    await page.getByText('What is typed under JSON cannot be read').waitFor();
    // Nor is the text gone after a look at the builder.
    await page.getByRole('button', { name: 'Builder', exact: true }).click();
    await page.getByRole('button', { name: 'JSON', exact: true }).click();
    expect(await text.inputValue()).toContain('changed again');
    // Nor after a look at another page, where what could be read last would be saved in its place.
    await page.getByRole('link', { name: 'Commands' }).click();
    await page.getByRole('heading', { name: 'Commands' }).waitFor();
    await page.goBack();
    await text.waitFor();
    expect(await text.inputValue()).toContain('changed again');
    await page.getByText('What is typed under JSON cannot be read').waitFor();
    expect(await page.getByRole('button', { name: 'Save as the next revision' }).isDisabled()).toBe(true);
  });

  test("does not take back somebody else's revision from a text that was shown before it", async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    const id = await storedStrategy(stack);
    const strategies = await stack.client(StrategyService);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open(`/strategies/${id}?tab=JSON`, { token: await stack.token() });
    const text = page.getByLabel(/The strategy in the JSON form/);
    await text.waitFor();
    const value = JSON.stringify({ ...EAGER, description: 'of somebody else' });
    await strategies.updateStrategy({ strategy: id, revision: 1n, source: { case: 'json', value } });
    await comeBack(page);
    await page.getByText('Revision 2', { exact: true }).waitFor();
    expect(await text.inputValue()).toContain('of somebody else');
  });
});
