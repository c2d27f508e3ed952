import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { setTradingScene } from '../harness/trading-scene.ts';
import { until } from '../harness/until.ts';

/** Longer than the silence that a page bears, in steps that no page takes for a sleep of its machine. */
const SILENCE_MS = 24_000;

/** Counts how often the page opens each of these streams. */
function opened(page: Page, streams: readonly string[]): () => readonly number[] {
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  return () => streams.map((stream) => urls.filter((url) => url.endsWith(`/${stream}`)).length);
}

test.runIf(hasChromium())('a page whose connection is frozen and not cut says so and resumes', async () => {
  await using stack = await startStack({ trading: { evaluators: 1 } });
  const { strategyId } = await setTradingScene(stack);
  const sessions = await stack.client(SessionService);
  const executors = await stack.executorClient();
  const { session } = await sessions.startSession({
    mode: SessionMode.PAPER,
    executor: 'vps-1',
    strategies: [{ strategy: strategyId, symbols: ['BTC_USDT'] }],
    initialBalance: '10000',
  });
  await using proxy = await TcpProxy.start(Number(new URL(stack.gatewayUrl).port));
  await using browser = await TestBrowser.start(proxy.url);
  const token = await stack.token();

  const freeze = async (page: Page, streams: readonly string[]): Promise<void> => {
    const count = opened(page, streams);
    proxy.blackhole('both');
    await page.clock.runFor(SILENCE_MS);
    await until(() => count().every((each) => each > 0), `${streams.join(' and ')} are opened again`);
    await page.getByText('Connection to the gateway lost').waitFor();
    proxy.heal();
    await page.clock.resume();
  };
  const trading = await browser.open('/', { token });
  await trading.clock.install();
  await trading.goto(`${proxy.url}/sessions/${session?.id}`);
  await trading.locator('.page-head').getByText('active').waitFor();
  await trading.getByRole('img', { name: /^Price of BTC_USDT/ }).waitFor();
  await freeze(trading, ['WatchSession', 'WatchPrices']);
  await sessions.pauseSession({ id: session?.id ?? '' });
  await trading.locator('.page-head').getByText('paused').waitFor();
  await trading.close();

  const fleet = await browser.open('/', { token });
  await fleet.clock.install();
  await fleet.goto(`${proxy.url}/executors`);
  await fleet.getByRole('row', { name: /vps-1 online/ }).waitFor();
  await freeze(fleet, ['WatchExecutors']);
  await executors.disableExecutor({ executor: 'vps-1' });
  await fleet.getByRole('row', { name: /vps-1 disabled/ }).waitFor();
  expect(browser.complaints).toEqual([]);
});
