import { describe, expect, test } from 'vitest';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { LostAnswers } from '../harness/lost-answers.ts';
import { startStack } from '../harness/stack.ts';

const STOP_ALL = '**/strategos.session.v1.SessionService/StopAll';
const EXECUTORS = '**/strategos.command.v1.ExecutorService/*';
const SESSIONS = '**/strategos.session.v1.SessionService/ListSessions';

describe.runIf(hasChromium())('the kill switch of the console', () => {
  test('is pulled from any page, also while nobody says which executors and sessions there are', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/strategies', { token: await stack.token() });
    await page.route(EXECUTORS, (route) => route.abort());
    await page.route(SESSIONS, (route) => route.abort());
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill switch' });
    await dialog.getByText('how many is not known yet').waitFor();
    await dialog.getByText('send the stop to every executor of the account').waitFor();
    await dialog.getByRole('button', { name: 'Stop everything and close positions' }).click();
    await dialog.getByRole('listitem').filter({ hasText: 'vps-1' }).getByText('confirmed').waitFor();
  });

  test('says that no answer came, stays one stop when it is pressed again, and takes another wish', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    await stack.createExecutor('vps-1');
    const sessions = await stack.client(SessionService);
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/', { token: await stack.token() });
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill switch' });
    // It is stored, and the gateway is gone before it says so.
    const lost = await LostAnswers.of(page, STOP_ALL);
    await dialog.getByRole('button', { name: 'Stop vps-1 and close positions' }).click();
    await dialog.getByText('No answer says that the stop is stored. Press again until one does').waitFor();
    const first = (await sessions.getHalt({})).halt;
    await dialog.getByRole('button', { name: 'Stop vps-1 and close positions' }).click();
    await lost.reach(2);
    await dialog.getByRole('button', { name: 'Stop vps-1 and close positions', disabled: false }).waitFor();
    expect((await sessions.getHalt({})).halt?.id).toBe(first?.id);
    await lost.end();

    await dialog.getByLabel('Close open positions at the market').uncheck();
    await dialog.getByRole('button', { name: 'Stop vps-1', exact: true }).click();
    await dialog.getByText('The stop is stored and on its way.').waitFor();
    expect((await sessions.getHalt({})).halt).toMatchObject({ closePositions: false });
  });

  test('tells while it waits that the gateway is gone, and goes on when it is back', async () => {
    await using stack = await startStack({ trading: { evaluators: 1 } });
    const credentials = await stack.createExecutor('vps-1');
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/', { token: await stack.token() });
    await page.getByRole('button', { name: 'Kill switch …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Kill switch' });
    await dialog.getByRole('button', { name: 'Stop vps-1 and close positions' }).click();
    await dialog.getByText('The stop is stored and on its way.').waitFor();
    await stack.gateway?.kill();
    await dialog.getByText('The gateway does not answer; the stop goes on').waitFor();
    await stack.gateway?.start();
    await stack.startAgent({ credentials });
    await dialog.getByText('Everybody has confirmed.').waitFor();
  });
});
