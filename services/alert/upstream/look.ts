import type { Logger } from '../../platform/logger.ts';
import { type Condition, type Look, PLATFORM, type Rule, type Thresholds } from '../domain/condition.ts';
import { failedCommands, statsRules, stuckCommands } from '../domain/command-rules.ts';
import { blindMarkets, deadDelivery, downServices, offlineExecutors } from '../domain/presence-rules.ts';
import { deliveryOf, executorsOf, failedOf, marketsOf, servicesOf, statsOf, unsettledOf } from './facts.ts';
import type { Upstream } from './upstream.ts';

/** Who asks for all accounts: none of them. */
const CALLER = 'platform';
/** Accounts that are looked at side by side. */
const ACCOUNTS_AT_ONCE = 4;

/** Looks at everything that rules are about. What cannot be asked is left out and not covered; never rejects. */
export class Looker {
  readonly #upstream: Upstream;
  readonly #thresholds: Thresholds;
  readonly #logger: Logger;

  constructor(upstream: Upstream, thresholds: Thresholds, logger: Logger) {
    this.#upstream = upstream;
    this.#thresholds = thresholds;
    this.#logger = logger;
  }

  async look(nowMs: number): Promise<Look> {
    const covered = new Set([key(PLATFORM, 'DELIVERY_DEAD'), key(PLATFORM, 'SERVICE_DOWN')]);
    const [delivery, services] = await Promise.all([deliveryOf(this.#upstream), servicesOf(this.#upstream)]);
    const conditions: Condition[] = [...deadDelivery(delivery), ...downServices(services)];
    const note = async (accountId: string, rules: readonly Rule[], find: () => Promise<Condition[]>): Promise<void> => {
      try {
        conditions.push(...(await find()));
        for (const rule of rules) covered.add(key(accountId, rule));
      } catch (thrown) {
        this.#logger.debug({ err: thrown, accountId, rules }, 'rules could not be looked at');
      }
    };
    const waiting = [...(await this.#accounts())];
    const lookAtAccounts = async (): Promise<void> => {
      for (let account = waiting.pop(); account !== undefined; account = waiting.pop()) {
        await this.#account(account, nowMs, note);
      }
    };
    await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, lookAtAccounts));
    return { conditions, covers: (accountId, rule) => covered.has(key(accountId, rule)) };
  }

  async #account(
    account: string,
    nowMs: number,
    note: (account: string, rules: readonly Rule[], find: () => Promise<Condition[]>) => Promise<void>,
  ): Promise<void> {
    const [upstream, thresholds] = [this.#upstream, this.#thresholds];
    await Promise.all([
      note(account, ['COMMAND_FAILED'], async () =>
        failedCommands(account, await failedOf(upstream, account), thresholds, nowMs),
      ),
      note(account, ['COMMAND_STUCK'], async () =>
        stuckCommands(account, await unsettledOf(upstream, account), thresholds, nowMs),
      ),
      note(account, ['SUCCESS_RATE', 'LATENCY'], async () =>
        statsRules(account, await statsOf(upstream, account, thresholds.windowMs), thresholds),
      ),
      note(account, ['EXECUTOR_OFFLINE'], async () =>
        offlineExecutors(account, await executorsOf(upstream, account), thresholds, nowMs),
      ),
      note(account, ['MARKET_BLIND'], async () => blindMarkets(account, await marketsOf(upstream, account))),
    ]);
  }

  async #accounts(): Promise<readonly string[]> {
    try {
      const { accountIds } = await this.#upstream.commands.listAccounts({}, this.#upstream.as(CALLER));
      return accountIds;
    } catch (thrown) {
      this.#logger.debug({ err: thrown }, 'accounts could not be asked for');
      return [];
    }
  }
}

function key(accountId: string, rule: Rule): string {
  return JSON.stringify([accountId, rule]);
}
