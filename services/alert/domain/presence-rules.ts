import { type Condition, PLATFORM, type Thresholds } from './condition.ts';

export interface ExecutorFacts {
  readonly name: string;
  readonly state: 'ONLINE' | 'OFFLINE' | 'OTHER';
  readonly lastSeenMs: number | null;
  readonly queued: number;
  readonly disconnectReason: string;
}

export interface MarketFacts {
  readonly symbol: string;
  readonly isBlind: boolean;
  /** Market time of the last price; null before the first. */
  readonly lastEventMs: number | null;
}

/** Whether each way to executors is open; the reasons are ends of sentences. */
export interface DeliveryFacts {
  /** Why no stream can be held; undefined: some replica serves. */
  readonly streamsDeadBecause: string | undefined;
  /** Why nobody can poll; undefined: the gateway serves. */
  readonly pollingDeadBecause: string | undefined;
}

/** Executors that were connected once and have been away for too long. */
export function offlineExecutors(
  accountId: string,
  executors: readonly ExecutorFacts[],
  { offlineMs }: Pick<Thresholds, 'offlineMs'>,
  nowMs: number,
): Condition[] {
  return executors
    .filter(({ state, lastSeenMs }) => state === 'OFFLINE' && lastSeenMs !== null && nowMs - lastSeenMs > offlineMs)
    .map(({ name, lastSeenMs, queued, disconnectReason }) => ({
      accountId,
      rule: 'EXECUTOR_OFFLINE',
      subject: name,
      sentence: `executor ${name} is offline since ${new Date(lastSeenMs ?? 0).toISOString()}${disconnectReason === '' ? '' : ` (${disconnectReason})`}; ${queued} commands wait for it`,
      next: 'on its machine: strategos executor doctor --credentials FILE',
    }));
}

/** Running sources from which nothing has come for so long that sessions follow their disconnect policy. */
export function blindMarkets(accountId: string, markets: readonly MarketFacts[]): Condition[] {
  return markets
    .filter(({ isBlind }) => isBlind)
    .map(({ symbol, lastEventMs }) => ({
      accountId,
      rule: 'MARKET_BLIND',
      subject: symbol,
      sentence: `market ${symbol} is blind: ${lastEventMs === null ? 'no price has ever come' : `the last price is of ${new Date(lastEventMs).toISOString()}`}; sessions on it follow their disconnect policy`,
      next: 'strategos market list',
    }));
}

/** Only both ways together: while one is open, every executor can be reached. */
export function deadDelivery({ streamsDeadBecause, pollingDeadBecause }: DeliveryFacts): Condition[] {
  if (streamsDeadBecause === undefined || pollingDeadBecause === undefined) return [];
  return [
    {
      accountId: PLATFORM,
      rule: 'DELIVERY_DEAD',
      subject: 'platform',
      sentence: `no executor can be reached: ${streamsDeadBecause}, and ${pollingDeadBecause}`,
      next: 'strategos doctor',
    },
  ];
}
