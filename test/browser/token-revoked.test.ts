import { expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

test.runIf(hasChromium())('a page whose token is revoked is signed out by its stream alone, and told why', async () => {
  await using stack = await startStack();
  await stack.createExecutor('vps-1');
  const access = await stack.accessClient();
  const { bearer, token } = await access.createToken({ name: 'leaver', role: Role.VIEWER });
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  // Nothing on this page is asked for again and again.
  const page = await browser.open('/executors', { token: bearer });
  await page.getByRole('row', { name: /vps-1 never connected/ }).waitFor();
  await access.revokeToken({ token: token?.id ?? '' });
  await page.getByRole('alert').getByText('the token "leaver" was revoked').waitFor();
  expect(await page.getByRole('row').count()).toBe(0);
});
