import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type ConsoleMessage, type Page } from 'playwright-core';
import { findChromium } from './chromium.ts';

/** Where a run leaves pictures of the pages for a person to look at; not in the repository. */
const SCREENSHOTS = join('test-results', 'screenshots');

export const DESKTOP = { width: 1_280, height: 800 } as const;
export const PHONE = { width: 390, height: 844 } as const;
const ACTION_MS_MAX = 15_000;

export interface TabOptions {
  /** Signed in from the start; undefined: the sign-in page. */
  readonly token: string | undefined;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly theme?: 'light' | 'dark';
}

/** A headless Chromium of the system, for the console at one gateway. */
export class TestBrowser implements AsyncDisposable {
  /** What the pages complained of: errors of scripts, and whatever the content security policy refused. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #url: string;

  private constructor(browser: Browser, url: string) {
    this.#browser = browser;
    this.#url = url;
  }

  static async start(gatewayUrl: string): Promise<TestBrowser> {
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error('there is no Chromium; set CHROMIUM_PATH');
    // Its sandbox wants a kernel that lets it, which containers and root's shells seldom do; it sees our own pages alone.
    const args = ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'];
    return new TestBrowser(await chromium.launch({ executablePath, args }), gatewayUrl);
  }

  /** A page of its own, with storage of its own. */
  async open(path: string, { token, viewport = DESKTOP, theme = 'light' }: TabOptions): Promise<Page> {
    const context = await this.context(viewport, theme);
    if (token !== undefined) {
      await context.addInitScript((kept) => sessionStorage.setItem('strategos.token', kept), token);
    }
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => this.#note(message));
    await page.goto(`${this.#url}${path}`);
    return page;
  }

  async context(
    viewport: { readonly width: number; readonly height: number },
    theme: 'light' | 'dark',
  ): Promise<BrowserContext> {
    const context = await this.#browser.newContext({
      viewport,
      colorScheme: theme,
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    context.setDefaultTimeout(ACTION_MS_MAX);
    return context;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }

  #note(message: ConsoleMessage): void {
    // A refused call is told by the page itself; the browser's own line about it says nothing more.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      this.complaints.push(message.text());
    }
  }
}

/** Leaves a picture of the whole page. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** True where browser tests can run; says loudly that they do not where they cannot. */
export function hasChromium(): boolean {
  if (findChromium() !== undefined) return true;
  process.stderr.write(
    '\n!!! NO BROWSER: the tests of the web console are SKIPPED. Install Chromium (apt-get install chromium) or set CHROMIUM_PATH.\n\n',
  );
  return false;
}
