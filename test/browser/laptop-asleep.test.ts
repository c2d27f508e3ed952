import type { Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const WATCH = /WatchExecutors/;

test.runIf(hasChromium())('a page that was asleep with its machine opens its streams again', async () => {
  await using stack = await startStack();
  const executors = await stack.executorClient();
  await stack.createExecutor('vps-1');
  await using browser = await TestBrowser.start(stack.gatewayUrl);
  const page = await browser.open('/strategies', { token: await stack.token() });
  const opened: Request[] = [];
  page.on('request', (request) => {
    if (WATCH.test(request.url())) opened.push(request);
  });
  await page.clock.install();
  await page.goto(`${stack.gatewayUrl}/executors`);
  await page.getByRole('row', { name: /vps-1 never connected/ }).waitFor();
  expect(opened).toHaveLength(1);
  // Nobody tells a sleeping machine that its connections are gone; the stream of a fleet may be silent for hours.
  await page.clock.fastForward('30:00');
  await until(() => opened.length > 1, 'the stream is opened again');
  await executors.disableExecutor({ executor: 'vps-1' });
  await page.getByRole('row', { name: /vps-1 disabled/ }).waitFor();
});
