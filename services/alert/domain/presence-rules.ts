import { type Condition, PLATFORM, type Thresholds } from './condition.ts';

export interface ExecutorFacts {
  readonly name: string;
  readonly state: 'ONLINE' | 'OFFLINE' | 'NEVER_CONNECTED' | 'OTHER';
  readonly lastSeenMs: number | null;
  readonly queued: number;
  readonly disconnectReason: string;
  /** Why it is not connected; null when nobody calls for it and is refused. */
  readonly refusal: RefusalFacts | null;
}

export interface RefusalFacts {
  readonly sinceMs: number;
  /** The latest. */
  readonly atMs: number;
  /** What was wrong, with the name of the reason. */
  readonly why: string;
  readonly remedy: string;
  /** The secret was right: it is an agent of the executor. */
  readonly isProven: boolean;
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

/** Services that are looked at as a whole. */
export const WATCHED_SERVICES = ['strategy', 'market', 'session', 'evaluator', 'backtest'] as const;
export type WatchedService = (typeof WATCHED_SERVICES)[number];

/** What stands still while no replica of a service serves: the end of a sentence. */
const STANDS_STILL: Readonly<Record<WatchedService, string>> = {
  strategy: 'strategies can be neither read nor changed, and none is started',
  market: 'no price reaches a strategy, and sessions follow their disconnect policy',
  session: 'what strategies decide is not carried out, and sessions can be neither started nor stopped',
  evaluator: 'no strategy decides anything',
  backtest: 'no back-test runs',
};

/** How many replicas a service has, and how many of them serve. */
export interface ServiceFacts {
  readonly service: WatchedService;
  readonly replicas: number;
  readonly serving: number;
}

/** An agent that is refused calls again within a minute: after three it has been stopped, or cannot get through. */
const CALLS_AGAIN_MS = 180_000;

/**
 * Executors that were connected once and have been away for too long, and those that never were because their agent has
 * been refused for as long. Anybody may bring a wrong secret: that alone misses nobody.
 */
export function offlineExecutors(
  accountId: string,
  executors: readonly ExecutorFacts[],
  { offlineMs }: Pick<Thresholds, 'offlineMs'>,
  nowMs: number,
): Condition[] {
  return executors.flatMap((executor) => {
    const { name, queued, refusal } = executor;
    const sinceMs = missedSinceMs(executor, nowMs);
    if (sinceMs === null || nowMs - sinceMs <= offlineMs) return [];
    return {
      accountId,
      rule: 'EXECUTOR_OFFLINE' as const,
      subject: name,
      sentence: `${absenceText(executor)}${refusal === null ? '' : `: ${refusalText(refusal, executor.lastSeenMs)}`}; ${queued} commands wait for it`,
      next: refusal?.remedy ?? 'on its machine: strategos executor doctor --credentials FILE',
    };
  });
}

function missedSinceMs({ state, lastSeenMs, refusal }: ExecutorFacts, nowMs: number): number | null {
  if (state === 'OFFLINE') return lastSeenMs;
  // One that does not call any more was given up by whoever set it up.
  if (state !== 'NEVER_CONNECTED' || refusal?.isProven !== true || nowMs - refusal.atMs > CALLS_AGAIN_MS) return null;
  return refusal.sinceMs;
}

function absenceText({ name, lastSeenMs, disconnectReason }: ExecutorFacts): string {
  if (lastSeenMs === null) return `executor ${name} has never connected`;
  const because = disconnectReason === '' ? '' : ` (${disconnectReason})`;
  return `executor ${name} is offline since ${new Date(lastSeenMs).toISOString()}${because}`;
}

function refusalText({ isProven, sinceMs, why }: RefusalFacts, lastSeenMs: number | null): string {
  const who = isProven ? 'its agent is refused' : 'somebody who knows its key is refused';
  // While it was connected, whoever was refused was not its agent.
  return `${who} since ${new Date(Math.max(sinceMs, lastSeenMs ?? 0)).toISOString()}: ${why}`;
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

/** Services of which no replica serves: while one does, it takes over. */
export function downServices(services: readonly ServiceFacts[]): Condition[] {
  return services
    .filter(({ serving }) => serving === 0)
    .map(({ service, replicas }) => ({
      accountId: PLATFORM,
      rule: 'SERVICE_DOWN',
      subject: service,
      sentence: `${replicas === 1 ? `${service} does not serve` : `none of ${replicas} replicas of ${service} serves`}: ${STANDS_STILL[service]}`,
      next: 'strategos doctor',
    }));
}
