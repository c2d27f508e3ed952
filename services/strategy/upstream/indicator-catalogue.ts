import type { Client } from '@connectrpc/connect';
import type { IndicatorCheck, MarketService } from '../../../proto/gen/strategos/market/v1/market_service_pb.js';
import type { Clock } from '../../platform/clock.ts';
import type { Secret } from '../../platform/config.ts';
import type { IndicatorVerdict } from '../domain/judge-definition.ts';
import type { Asker, IndicatorCatalogue } from '../domain/neighbours.ts';
import { awayError, callAs } from './call.ts';

/** Known indicators are asked for again after this: only another release of the market service can forget one. */
const KNOWN_MS = 60_000;
const KNOWN_MAX = 10_000;

/** Asks the market service, and remembers what it knows, so that saving a strategy again does not wait for it. */
export class MarketCatalogue implements IndicatorCatalogue {
  readonly #market: Client<typeof MarketService>;
  readonly #internalToken: Secret;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly canonicalId: string; readonly askedMs: number }>();

  constructor(market: Client<typeof MarketService>, internalToken: Secret, clock: Clock) {
    this.#market = market;
    this.#internalToken = internalToken;
    this.#clock = clock;
  }

  async verdicts(asker: Asker, indicatorIds: readonly string[]): Promise<ReadonlyMap<string, IndicatorVerdict>> {
    const verdicts = new Map<string, IndicatorVerdict>();
    const missing: string[] = [];
    for (const id of new Set(indicatorIds)) {
      const known = this.#known.get(id);
      if (known !== undefined && this.#clock.steadyMs() - known.askedMs < KNOWN_MS) {
        verdicts.set(id, { canonicalId: known.canonicalId, fault: '' });
      } else missing.push(id);
    }
    if (missing.length > 0) {
      const checks = await this.#ask(asker, missing);
      for (const [index, id] of missing.entries()) verdicts.set(id, this.#verdictOf(id, checks[index]));
    }
    return verdicts;
  }

  async #ask(asker: Asker, ids: string[]): Promise<readonly IndicatorCheck[]> {
    try {
      return (await this.#market.listIndicators({ ids }, callAs(this.#internalToken, asker))).checks;
    } catch (thrown) {
      throw awayError('market', 'the indicators cannot be checked; try again', thrown);
    }
  }

  #verdictOf(id: string, check: IndicatorCheck | undefined): IndicatorVerdict {
    if (check === undefined || check.normalisedId === '') {
      this.#known.delete(id);
      return { canonicalId: '', fault: check?.fault || `there is no indicator "${id}"` };
    }
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(id, { canonicalId: check.normalisedId, askedMs: this.#clock.steadyMs() });
    return { canonicalId: check.normalisedId, fault: '' };
  }
}
