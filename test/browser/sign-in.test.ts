import { describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

const FIRST_LOAD_BYTES_MAX = 300_000;

describe.runIf(hasChromium())('signing in', () => {
  test('takes a token for one tab, says why another is refused, and costs less than 300 kB to load', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/executors', { token: undefined });

    await page.getByLabel('Token').fill('sgo_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'token' }).waitFor();

    // What the network carried for the page that was asked for, everything included, up to where it can be used.
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.reload();
    await page.getByLabel('Token').fill(await stack.token());
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Executors', level: 1 }).waitFor();
    await page.getByText('There is no executor yet').waitFor();
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX);

    // A reload keeps it, another tab does not have it, and signing out forgets it.
    await page.reload();
    await page.getByRole('heading', { name: 'Executors', level: 1 }).waitFor();
    const other = await browser.open('/executors', { token: undefined });
    await other.getByLabel('Token').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.reload();
    await page.getByLabel('Token').waitFor();
    expect(browser.complaints).toEqual([]);
  });

  test('ends when the token is revoked', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const access = await stack.accessClient();
    const { bearer, token } = await access.createToken({ name: 'visitor', role: Role.VIEWER });
    const page = await browser.open('/', { token: bearer });
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await access.revokeToken({ token: token?.id ?? '' });
    await page.getByLabel('Token').waitFor();
    await page.getByRole('alert').filter({ hasText: 'revoked' }).waitFor();
  });
});
