import { fromJsonString } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CredentialsSchema } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

describe.runIf(hasChromium())('the executors page', () => {
  test('creates, pings through the real path, rotates and disables', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/executors', { token: await stack.token() });

    await page.getByRole('button', { name: 'Create executor' }).click();
    await page.getByLabel('Name').fill('vps-7');
    await page.getByLabel('Labels').fill('kind=paper');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    const shown = await page.getByLabel('Credentials', { exact: true }).textContent();
    const credentials = fromJsonString(CredentialsSchema, shown ?? '');
    expect(credentials).toMatchObject({ executorName: 'vps-7', gatewayUrl: stack.gatewayUrl });
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('row', { name: /vps-7 never connected/ }).waitFor();

    // The agent connects with what was shown, and the page says so by itself.
    await stack.startAgent({ credentials });
    await page.getByRole('row', { name: /vps-7 online stream .* takes all 12 kinds/ }).waitFor();

    await page.getByRole('button', { name: 'Ping vps-7' }).click();
    const canary = page.getByRole('dialog', { name: 'Canary to vps-7' });
    await canary.getByRole('button', { name: 'Send the ping' }).click();
    const hops = canary.getByRole('list', { name: 'Hops' });
    await hops.getByText('succeeded').waitFor();
    expect(await hops.getByText(/^\+[\d.]+ (?:ms|s)$/).count()).toBe(4);
    await canary.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('link', { name: 'vps-7' }).click();
    await page.getByRole('button', { name: 'Rotate credentials' }).click();
    await page.getByLabel('The old credentials stay valid for').selectOption('600');
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    await page.getByText('This is shown once').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => page.getByRole('row', { name: /^k/ }).count()).toBe(2);

    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Disable vps-7' }).click();
    await page.locator('.page-head').getByText('disabled').waitFor();
    expect(await page.getByRole('button', { name: 'Rotate credentials' }).count()).toBe(0);
    // Its agent goes on calling, and the page says by itself that it is refused, why, and what to do.
    await page.getByText(/executor "vps-7" was disabled by an operator; to do: stop its agent/).waitFor();
    // So does the list, for whoever looks there first.
    await page.getByRole('link', { name: 'Executors' }).click();
    await page.getByRole('row', { name: /vps-7 disabled its agent is refused/ }).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
