import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { PingSchema } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

describe.runIf(hasChromium())('a gateway that is restarted under an open page', () => {
  test.each(['stop', 'kill'] as const)(
    'after a %s the page says so, comes back, and shows what happened meanwhile',
    async (how) => {
      await using stack = await startStack();
      await using browser = await TestBrowser.start(stack.gatewayUrl);
      await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
      const inside = stack.replicaCommandClient(0);
      const ping = (payload: string) =>
        inside.issueCommand({ executor: 'vps-1', kind: { case: 'ping', value: create(PingSchema, { payload }) } });
      const page = await browser.open('/commands', { token: await stack.token() });
      await ping('before');
      await page.getByRole('row', { name: /succeeded ping vps-1 before/ }).waitFor();

      await stack.gateway?.[how]();
      await page.getByText(/Connection to the gateway lost/).waitFor();
      await ping('meanwhile');
      // The browser still has the page; nothing was loaded again.
      await page.evaluate("document.documentElement.dataset.same = 'yes'");
      await stack.gateway?.start();
      await page.getByText(/Reconnected after .* nothing was missed/).waitFor();
      await page.getByRole('row', { name: /succeeded ping vps-1 meanwhile/ }).waitFor();
      await ping('after');
      await page.getByRole('row', { name: /succeeded ping vps-1 after/ }).waitFor();
      expect(await page.getByRole('row', { name: /ping vps-1/ }).count()).toBe(3);
      expect(await page.evaluate('document.documentElement.dataset.same')).toBe('yes');
    },
  );
});
