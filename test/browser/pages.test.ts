import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { PinPolicy } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { graveViolations } from '../harness/accessibility.ts';
import { DESKTOP, hasChromium, keepPicture, PHONE, TestBrowser } from '../harness/browser.ts';
import { Clients } from '../harness/clients.ts';
import { startStack, type TestStack } from '../harness/stack.ts';
import { issueCommands, setTradingScene } from '../harness/trading-scene.ts';

/** Each page by a name, with what stands on it when it has loaded. */
interface Place {
  readonly name: string;
  readonly path: string;
  readonly ready: (page: Page) => Promise<void>;
}

let stack: TestStack;
let browser: TestBrowser;
let places: readonly Place[];
const bearers = new Map<Role, string>();

function shows(text: string | RegExp): Place['ready'] {
  return (page) => page.getByText(text).first().waitFor();
}

async function bearerOf(role: Role): Promise<string> {
  const access = await stack.accessClient();
  const { bearer } = await access.createToken({ name: `role-${role}`, role });
  return bearer;
}

const RUN = hasChromium();

beforeAll(async () => {
  if (!RUN) return;
  stack = await startStack({ trading: { evaluators: 1 } });
  const { strategyId } = await setTradingScene(stack);
  const { refused, waiting } = await issueCommands(stack);
  for (const role of [Role.VIEWER, Role.OPERATOR, Role.ADMIN]) bearers.set(role, await bearerOf(role));
  using clients = new Clients();
  const { session } = await clients.edge(SessionService, stack.gatewayUrl, await stack.token()).startSession({
    mode: SessionMode.PAPER,
    executor: 'vps-1',
    strategies: [{ strategy: strategyId, symbols: ['BTC_USDT'] }],
    pinPolicy: PinPolicy.FOLLOW_LATEST,
    initialBalance: '10000',
  });
  const [activation] = session?.activations ?? [];
  const sessionPath = `/sessions/${session?.id}`;
  const strategyPath = `/strategies/${strategyId}`;
  places = [
    { name: 'overview', path: '/?window=15m', ready: shows('waiting for executor vps-2') },
    {
      name: 'commands',
      path: '/commands',
      ready: (page) => page.getByRole('link', { name: 'open_position' }).first().waitFor(),
    },
    { name: 'command-waiting', path: `/commands/${waiting}`, ready: shows('waiting for executor vps-2') },
    { name: 'command-refused', path: `/commands/${refused}`, ready: shows(/no session "none" is open/) },
    { name: 'executors', path: '/executors', ready: shows('takes all 12 kinds') },
    { name: 'executor', path: '/executors/vps-1', ready: shows('Contract digest') },
    { name: 'strategies', path: '/strategies', ready: shows('all current') },
    { name: 'strategy-builder', path: strategyPath, ready: shows('valid, can be saved') },
    { name: 'strategy-json', path: `${strategyPath}?tab=JSON`, ready: shows('valid, can be saved') },
    { name: 'strategy-revisions', path: `${strategyPath}?tab=Revisions`, ready: shows('Revision 1') },
    { name: 'strategy-rollout', path: `${strategyPath}?tab=Roll-out`, ready: shows('evaluator-0') },
    { name: 'strategy-backtest', path: `${strategyPath}?tab=Back-test`, ready: shows('Initial balance') },
    { name: 'sessions', path: '/sessions', ready: shows(/^paper /) },
    {
      name: 'session',
      path: sessionPath,
      ready: (page) => page.getByRole('img', { name: /^Price of BTC_USDT, now .* 1 signals/ }).waitFor(),
    },
    {
      name: 'instance',
      path: `${sessionPath}/${activation?.instanceId}`,
      ready: (page) => page.getByRole('img', { name: 'State machine; now in position active' }).waitFor(),
    },
    { name: 'not-found', path: '/nowhere', ready: shows('There is no page at this address.') },
  ];
  browser = await TestBrowser.start(stack.gatewayUrl);
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

describe.runIf(RUN)('every page', () => {
  test.each([
    { name: 'desktop', viewport: DESKTOP },
    { name: 'phone', viewport: PHONE },
  ])('$name: is accessible, fits, and leaves a picture, light and dark', async ({ name, viewport }) => {
    const found: string[] = [];
    const look = async (page: Page, place: string): Promise<void> => {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await keepPicture(page, `${place}-${name}-${theme}`);
        found.push(...(await graveViolations(page)).map((each) => `${place}, ${theme}: ${each}`));
        const overflow: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if (overflow > 0) found.push(`${place}, ${theme}: ${overflow} px wider than the window`);
      }
    };
    const signIn = await browser.open('/', { token: undefined, viewport });
    await signIn.getByLabel('Token').waitFor();
    await look(signIn, 'sign-in');
    await signIn.context().close();
    const page = await browser.open('/', { token: bearers.get(Role.ADMIN), viewport });
    for (const place of places) {
      await page.goto(`${stack.gatewayUrl}${place.path}`);
      await place.ready(page);
      await look(page, place.name);
    }
    await page.context().close();
    expect(found).toEqual([]);
    expect(browser.complaints).toEqual([]);
  });

  test('has nothing on it that the token may not do', async () => {
    const seen = new Map<Role, Set<string>>();
    for (const role of [Role.VIEWER, Role.OPERATOR, Role.ADMIN]) {
      const names = new Set<string>();
      const page = await browser.open('/', { token: bearers.get(role) });
      // What an admin alone may do is about executors; a page that is loaded costs half a second of processor time.
      const visited = role === Role.ADMIN ? places.filter(({ path }) => path.startsWith('/executors')) : places;
      for (const place of visited) {
        await page.goto(`${stack.gatewayUrl}${place.path}`);
        await place.ready(page);
        const buttons = page.getByRole('button').or(page.locator('main a.button'));
        for (const text of await buttons.allTextContents()) names.add(text.trim());
      }
      await page.context().close();
      seen.set(role, names);
    }
    const may = (role: Role): Set<string> => seen.get(role) ?? new Set();
    const operators = [
      'New command',
      'Cancel',
      'Retry',
      'Ping',
      'New strategy',
      'Start a session',
      'Pause',
      'Stop …',
      'Deactivate',
      'Kill switch …',
      'Save as the next revision',
      'Delete',
      'Activate a strategy',
    ];
    const admins = ['Create executor', 'Rotate credentials', 'Disable'];
    expect([...may(Role.VIEWER)].filter((name) => [...operators, ...admins].includes(name))).toEqual([]);
    expect(operators.filter((name) => !may(Role.OPERATOR).has(name))).toEqual([]);
    expect([...may(Role.OPERATOR)].filter((name) => admins.includes(name))).toEqual([]);
    expect(admins.filter((name) => !may(Role.ADMIN).has(name))).toEqual([]);
  });

  test('can be reached and used by keyboard alone', async () => {
    const page = await browser.open('/', { token: bearers.get(Role.ADMIN) });
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    const focusedName = (): Promise<string> => page.evaluate('document.activeElement.textContent.trim()');
    await page.getByRole('link', { name: 'Skip to the content' }).focus();
    for (const name of ['Strategos', 'Overview', 'Commands']) {
      await page.keyboard.press('Tab');
      expect(await focusedName()).toBe(name);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Commands', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'New command' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'New command' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'New command' }).waitFor({ state: 'detached' });
    expect(await focusedName()).toBe('New command');
    await page.context().close();
  });
});
