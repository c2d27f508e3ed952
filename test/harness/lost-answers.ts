import type { Page, Route } from 'playwright-core';
import { until } from './until.ts';

/** Lets calls of a page arrive and loses their answers, as a gateway does that goes away before it says what it did. */
export class LostAnswers {
  /** How many were lost so far. */
  count = 0;
  readonly #page: Page;
  readonly #url: string;
  #inHand = 0;

  private constructor(page: Page, url: string) {
    this.#page = page;
    this.#url = url;
  }

  /** From now on, of calls whose address matches `url`, a glob. */
  static async of(page: Page, url: string): Promise<LostAnswers> {
    const lost = new LostAnswers(page, url);
    await page.route(url, (route) => lost.#lose(route));
    return lost;
  }

  /** Resolves when that many were lost. */
  async reach(count: number): Promise<void> {
    await until(() => this.count >= count, `${count} answers are lost`);
  }

  /** Answers arrive again. A call whose answer is being lost is waited for: a page that takes its routes back answers it itself. */
  async end(): Promise<void> {
    await until(() => this.#inHand === 0, 'no answer is being lost');
    await this.#page.unroute(this.#url);
  }

  async #lose(route: Route): Promise<void> {
    this.#inHand += 1;
    try {
      await route.fetch();
      await route.abort('connectionreset');
      this.count += 1;
    } finally {
      this.#inHand -= 1;
    }
  }
}
