import { describe, expect, test } from 'vitest';
import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { hasChromium, TestBrowser } from '../harness/browser.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const COMMANDS = 10_000;
const OPEN = [CommandState.PENDING, CommandState.SENT, CommandState.RECEIVED, CommandState.RUNNING];
const BATCH = 500;
/** Lines in the document, however long the list is. */
const LINES_MAX = 120;
/** Half of all frames come at least this often while the list is dragged through; a jank is many times longer. */
const MEDIAN_FRAME_MS_MAX = 50;

describe.runIf(hasChromium())('ten thousand commands', () => {
  test('are scrolled through without jank, and only those in sight are drawn', async () => {
    await using stack = await startStack();
    await stack.startAgent({ credentials: await stack.createExecutor('vps-1') });
    const commands = await stack.commandClient();
    for (let issued = 0; issued < COMMANDS; issued += BATCH) {
      await commands.issueCommands({
        requests: Array.from({ length: BATCH }, () => ({
          executor: 'vps-1',
          kind: { case: 'ping' as const, value: {} },
        })),
      });
    }
    await until(
      async () => (await commands.listCommands({ filter: { states: OPEN }, pageSize: 1 })).commands.length === 0,
      'all commands end',
      60_000,
    );
    await using browser = await TestBrowser.start(stack.gatewayUrl);
    const page = await browser.open('/commands', { token: await stack.token() });
    await page.getByText(/500 shown/).waitFor();

    // To the end, page by page.
    await until(
      async () => {
        await page.evaluate("document.querySelector('.viewport').scrollTo(0, 1e9)");
        return page.getByText(`${COMMANDS} shown`, { exact: true }).isVisible();
      },
      'everything is loaded',
      60_000,
    );
    expect(await page.getByRole('row').count()).toBeLessThan(LINES_MAX);

    // Then through all of it, a screen a frame, while new ones stream in.
    const streaming = (async () => {
      for (let count = 0; count < 20; count += 1) {
        await commands.issueCommand({ executor: 'vps-1', kind: { case: 'ping', value: { payload: `live ${count}` } } });
      }
    })();
    const frames: number[] = await page.evaluate(`new Promise((resolve) => {
      const viewport = document.querySelector('.viewport');
      const frames = [];
      let before = performance.now();
      viewport.scrollTo(0, 0);
      const step = (now) => {
        frames.push(now - before);
        before = now;
        viewport.scrollBy(0, 900);
        if (frames.length >= 200) resolve(frames.slice(1));
        else requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    })`);
    await streaming;
    const sorted = frames.toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(MEDIAN_FRAME_MS_MAX);
    expect(await page.getByRole('row').count()).toBeLessThan(LINES_MAX);
    await page.evaluate("document.querySelector('.viewport').scrollTo(0, 0)");
    await page.getByRole('row', { name: /live 19/ }).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
