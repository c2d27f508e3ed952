import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { PingSchema, SessionMode, Side } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';

describe.runIf(hasChromium())('the commands page', () => {
  test('shows commands as they happen, narrows them by the address, and sends new ones', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
    await stack.createExecutor('vps-2');
    const commands = await stack.commandClient();
    const page = await browser.open('/commands', { token: await stack.token() });
    await page.getByText('No command matches.').waitFor();

    // Issued elsewhere, it appears here, and moves on to its end.
    await commands.issueCommand({
      executor: 'vps-1',
      kind: { case: 'ping', value: create(PingSchema, { payload: 'first' }) },
    });
    await page.getByRole('row', { name: /succeeded ping vps-1 first/ }).waitFor();
    await commands.issueCommand({
      executor: 'vps-2',
      kind: { case: 'ping', value: create(PingSchema, { payload: 'second' }) },
    });
    await page.getByRole('row', { name: /pending ping vps-2 second/ }).waitFor();

    // The filter is in the address, and holds after a reload.
    await page.getByRole('button', { name: 'succeeded', exact: true }).click();
    await page.getByRole('row', { name: /second/ }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('state')).toBe('SUCCEEDED');
    await page.reload();
    await page.getByRole('row', { name: /succeeded ping vps-1 first/ }).waitFor();
    expect(await page.getByRole('row', { name: /second/ }).count()).toBe(0);

    // The form is made from the proto.
    await page.getByRole('button', { name: 'New command' }).click();
    const dialog = page.getByRole('dialog', { name: 'New command' });
    await dialog.getByLabel('executor').selectOption('vps-1');
    await dialog.getByLabel('kind').selectOption('start_session');
    await dialog.getByLabel('session_id').fill('desk');
    await dialog.getByLabel('mode').selectOption('paper');
    await dialog.getByLabel('symbols').fill('BTC_USDT, ETH_USDT');
    await dialog.getByRole('button', { name: 'Send start_session' }).click();
    await page.getByRole('heading', { name: 'start_session to vps-1' }).waitFor();
    await page.getByText('BTC_USDT').waitFor();
    await page.getByRole('list', { name: 'Hops' }).getByText('succeeded').waitFor();
    expect(browser.complaints).toEqual([]);
  });

  test('a command page says where it is and why; it can be cancelled, and a failed one repeated', async () => {
    await using stack = await startStack();
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
    await stack.createExecutor('vps-2');
    const commands = await stack.commandClient();
    const token = await stack.token();

    const waiting = await commands.issueCommand({
      executor: 'vps-2',
      kind: { case: 'ping', value: create(PingSchema) },
    });
    const page = await browser.open(`/commands/${waiting.command?.id}`, { token });
    await page.getByText(/waiting for executor vps-2, which has never connected/).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('banner').or(page.locator('header')).getByText('cancelled').first().waitFor();

    // Refused by the venue, because its session is not open; then the session is opened and it is repeated.
    const order = await commands.issueCommand({
      executor: 'vps-1',
      kind: {
        case: 'openPosition',
        value: { sessionId: 'desk', symbol: 'BTC_USDT', side: Side.BUY, quantity: '0.1', referencePrice: '60000' },
      },
    });
    await page.goto(`${stack.gatewayUrl}/commands/${order.command?.id}`);
    await page.locator('.page-head').getByText('rejected').waitFor();
    await page
      .getByText(/no session "desk" is open/)
      .first()
      .waitFor();
    await commands.issueCommand({
      executor: 'vps-1',
      kind: { case: 'startSession', value: { sessionId: 'desk', mode: SessionMode.PAPER } },
    });
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('heading', { name: 'open_position to vps-1' }).waitFor();
    await page.locator('.page-head').getByText('succeeded').waitFor();
    await page.getByRole('link', { name: order.command?.id ?? '' }).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
