import { describe, expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

describe.runIf(hasChromium())('a kill switch whose executor is disabled while it is being pulled', () => {
  test('goes on naming that executor, and does not look like one for everything', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    for (const name of ['vps-1', 'vps-2', 'vps-3']) await stack.createExecutor(name);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/', { token: await stack.token() });
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill switch' });
    await dialog.getByLabel('Stop', { exact: true }).selectOption({ label: 'everything on vps-2' });
    await dialog.getByRole('button', { name: 'Stop vps-2 and close positions' }).waitFor();
    await stack.replicaExecutorClient(0).disableExecutor({ executor: 'vps-2' });
    await stack.replicaExecutorClient(0).disableExecutor({ executor: 'vps-3' });
    // Of those that were not chosen, a disabled one is offered no longer: the list has been read again.
    await dialog.getByRole('option', { name: 'everything on vps-3' }).waitFor({ state: 'detached' });
    expect(await dialog.getByLabel('Stop', { exact: true }).locator('option:checked').innerText()).toBe(
      'everything on vps-2',
    );
    await dialog.getByText('send the stop to vps-2, ahead').waitFor();
    expect(await dialog.getByRole('button', { name: /^Stop / }).innerText()).toBe('Stop vps-2 and close positions');
  });
});
