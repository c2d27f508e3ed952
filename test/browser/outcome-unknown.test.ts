import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { ended, getCommand, online } from '../fault/observe.ts';
import { graveViolations } from '../harness/accessibility.ts';
import { hasChromium, PHONE, TestBrowser } from '../harness/browser.ts';
import { startRecordingAgent } from '../harness/recording-agent.ts';
import { startStack, type TestStack } from '../harness/stack.ts';

/** An order whose adapter does not come back in time. */
async function unknownOrder(stack: TestStack): Promise<string> {
  const commands = stack.replicaCommandClient(0);
  const { command } = await commands.issueCommand({
    executor: 'vps-1',
    kind: {
      case: 'openPosition',
      value: { sessionId: 'desk', symbol: 'BTC_USDT', side: Side.BUY, quantity: '0.5', referencePrice: '60000' },
    },
    deadlines: { finishWithin: { nanos: 300_000_000 } },
  });
  const id = command?.id ?? '';
  expect((await ended(commands, id)).state).toBe(CommandState.OUTCOME_UNKNOWN);
  return id;
}

async function openSettling(page: Page) {
  await page.getByRole('button', { name: 'Settle …' }).click();
  return page.getByRole('dialog', { name: 'Settle open_position to vps-1' });
}

describe.runIf(hasChromium())('a command whose outcome nobody knows', () => {
  test('is settled by whoever has looked at the venue, and not repeated without a question', async () => {
    await using stack = await startStack();
    const agent = await startRecordingAgent(stack, { credentials: await stack.createExecutor('vps-1') });
    await online(stack, 'vps-1');
    agent.control({ hold: 'after' });
    const [dealt, lost] = [await unknownOrder(stack), await unknownOrder(stack)];
    const commands = stack.replicaCommandClient(0);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open(`/commands/${dealt}`, { token: await stack.token(), viewport: PHONE });

    await page.getByRole('button', { name: 'Retry …' }).click();
    const question = page.getByRole('dialog', { name: 'Repeat what may have been done?' });
    await question.getByText('it will be done a second time').waitFor();
    await question.getByRole('button', { name: 'Leave' }).click();

    const dialog = await openSettling(page);
    expect(await dialog.getByRole('button', { name: 'Settle', exact: true }).isDisabled()).toBe(true);
    await dialog.getByLabel('What the venue shows').selectOption({ index: 1 });
    expect(await graveViolations(page)).toEqual([]);
    await dialog.getByLabel('quantity').fill('0.5');
    await dialog.getByLabel('price').fill('none');
    await dialog.getByLabel('What was seen there').fill('order 77 is filled');
    await dialog.getByRole('button', { name: 'Settle as succeeded' }).click();
    await dialog.getByRole('alert').getByText('Not settled').waitFor();
    await dialog.getByLabel('price').fill('60000.5');
    await dialog.getByRole('button', { name: 'Settle as succeeded' }).click();
    await page.locator('.lead').getByText('succeeded').waitFor();
    await page.getByText('order 77 is filled').first().waitFor();
    expect(await page.getByRole('button', { name: /Settle|Retry/ }).count()).toBe(0);
    expect(await getCommand(commands, dealt)).toMatchObject({ settledBy: 'founder' });

    await page.goto(`${stack.gatewayUrl}/commands/${lost}`);
    const again = await openSettling(page);
    await again.getByLabel('What the venue shows').selectOption({ index: 2 });
    expect(await again.getByLabel('price').count()).toBe(0);
    await again.getByLabel('What was seen there').fill('no order, no fill');
    await again.getByRole('button', { name: 'Settle as failed' }).click();
    await page.locator('.lead').getByText('failed').waitFor();
    await page.getByRole('button', { name: 'Retry', exact: true }).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
