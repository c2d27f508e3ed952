import { messageOf } from '../../platform/errors.ts';
import type { Exchange, ExchangeCandle, OpenExchange } from './exchange-feed.ts';
import { FeedError } from './feed.ts';

/** The part of a ccxt exchange that is used. */
interface CcxtExchange {
  fetchOHLCV(symbol: string, timeframe: string, since: number, limit: number): Promise<ExchangeCandle[]>;
  close?(): Promise<unknown>;
}

type CcxtConstructor = new (options: Readonly<Record<string, unknown>>) => CcxtExchange;

/** What `import('ccxt')` gives, as far as it is looked at. */
export type LoadLibrary = () => Promise<unknown>;

/** Failures that will not pass by themselves, by the names of ccxt's error classes. */
const FINAL_ERRORS: ReadonlySet<string> = new Set(['BadSymbol', 'BadRequest', 'NotSupported', 'AuthenticationError']);
const REQUEST_MS_MAX = 20_000;

/** The library is large and few need it, so that it is installed by those who do. */
const LIBRARY = 'ccxt';
const importLibrary: LoadLibrary = () => import(LIBRARY);

/** Exchanges by way of ccxt, loaded at first use. @throws FeedError that says what to install, or which exchange is unknown. */
export function ccxtExchanges(load: LoadLibrary = importLibrary): OpenExchange {
  return async (id) => {
    const exchanges = await libraryOf(load);
    const found: unknown = Reflect.get(exchanges, id);
    if (!isConstructor(found))
      throw new FeedError(`ccxt has no exchange "${id}"; write its id as ccxt does, such as kraken`);
    // `number: String` makes ccxt hand prices on as the exchange wrote them.
    const exchange = new found({ enableRateLimit: true, timeout: REQUEST_MS_MAX, number: String });
    return {
      fetchCandles: (symbol, sinceMs, candlesMax) => exchange.fetchOHLCV(symbol, '1m', sinceMs, candlesMax),
      isFinal: (thrown) => thrown instanceof Error && FINAL_ERRORS.has(thrown.constructor.name),
      async close() {
        await exchange.close?.();
      },
    } satisfies Exchange;
  };
}

async function libraryOf(load: LoadLibrary): Promise<object> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (thrown) {
    throw new FeedError(
      `prices of exchanges need the package ccxt beside this service: npm install ccxt (${messageOf(thrown)})`,
    );
  }
  const main: unknown = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'default') : undefined;
  const library = main ?? loaded;
  if ((typeof library !== 'object' && typeof library !== 'function') || library === null) {
    throw new FeedError('the package ccxt that is installed is not the one that is known');
  }
  return library;
}

function isConstructor(value: unknown): value is CcxtConstructor {
  return typeof value === 'function' && typeof Reflect.get(value.prototype ?? {}, 'fetchOHLCV') === 'function';
}
