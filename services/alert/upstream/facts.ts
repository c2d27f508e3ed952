import { durationFromMs, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Client } from '@connectrpc/connect';
import {
  type Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ExecutorState, type Refusal } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import type { CommandFacts, StatsFacts } from '../domain/command-rules.ts';
import type {
  DeliveryFacts,
  ExecutorFacts,
  MarketFacts,
  RefusalFacts,
  ServiceFacts,
} from '../domain/presence-rules.ts';
import type { Upstream } from './upstream.ts';

const PAGE_SIZE = 1_000;
/** An account has some hundred executors. */
const PAGES_MAX = 100;
const GATEWAY_MS_MAX = 4_000;

const FAILED = [CommandState.FAILED, CommandState.EXPIRED];
const UNSETTLED = [
  CommandState.PENDING,
  CommandState.SENT,
  CommandState.RECEIVED,
  CommandState.RUNNING,
  CommandState.OUTCOME_UNKNOWN,
];

/** The newest thousand that failed: more are the same alert. */
export function failedOf(upstream: Upstream, accountId: string): Promise<CommandFacts[]> {
  return commandsOf(upstream, accountId, FAILED);
}

/** The newest thousand whose end is not known; a queue that is longer says so by itself. */
export function unsettledOf(upstream: Upstream, accountId: string): Promise<CommandFacts[]> {
  return commandsOf(upstream, accountId, UNSETTLED);
}

async function commandsOf(upstream: Upstream, accountId: string, states: CommandState[]): Promise<CommandFacts[]> {
  const request = { filter: { states }, pageSize: PAGE_SIZE };
  const { commands } = await upstream.commands.listCommands(request, upstream.as(accountId));
  return commands.map(({ id, executorName, kind, state, finishTime, dueTime, error }) => ({
    id,
    executor: executorName,
    kind: kind.case ?? 'command',
    state: CommandState[state] ?? String(state),
    finishMs: millisecondsOf(finishTime),
    dueMs: millisecondsOf(dueTime),
    error: error?.message ?? '',
  }));
}

export async function statsOf(upstream: Upstream, accountId: string, windowMs: number): Promise<StatsFacts> {
  const request = { window: durationFromMs(windowMs), bucketCount: 1 };
  const stats = await upstream.commands.getCommandStats(request, upstream.as(accountId));
  return {
    tried: stats.buckets.reduce((sum, bucket) => sum + Number(bucket.tried), 0),
    successRate: stats.successRate,
    p95Ms: stats.acceptedToFinished?.p95Ms ?? null,
    measured: Number(stats.acceptedToFinished?.count ?? 0n),
  };
}

export async function executorsOf(upstream: Upstream, accountId: string): Promise<ExecutorFacts[]> {
  const facts: ExecutorFacts[] = [];
  for (let page = 0, pageToken = ''; page < PAGES_MAX; page++) {
    const request = { pageSize: PAGE_SIZE, pageToken };
    const response = await upstream.executors.listExecutors(request, upstream.as(accountId));
    for (const { name, state, lastSeenTime, queued, disconnectReason, lastRefusal } of response.executors) {
      const lastSeenMs = millisecondsOf(lastSeenTime);
      const refusal = refusalOf(lastRefusal);
      facts.push({ name, state: stateOf(state), lastSeenMs, queued, disconnectReason, refusal });
    }
    pageToken = response.nextPageToken;
    if (pageToken === '') break;
  }
  return facts;
}

function stateOf(state: ExecutorState): ExecutorFacts['state'] {
  if (state === ExecutorState.OFFLINE) return 'OFFLINE';
  if (state === ExecutorState.NEVER_CONNECTED) return 'NEVER_CONNECTED';
  return state === ExecutorState.ONLINE ? 'ONLINE' : 'OTHER';
}

function refusalOf(refusal: Refusal | undefined): RefusalFacts | null {
  const [sinceMs, atMs] = [millisecondsOf(refusal?.sinceTime), millisecondsOf(refusal?.time)];
  if (refusal?.current !== true || sinceMs === null || atMs === null) return null;
  const { message, reason, remedy, credentialProven } = refusal;
  return { sinceMs, atMs, why: `${message} (${ErrorReason[reason] ?? reason})`, remedy, isProven: credentialProven };
}

export async function marketsOf(upstream: Upstream, accountId: string): Promise<MarketFacts[]> {
  if (upstream.markets === undefined) return [];
  const { sources } = await upstream.markets.listSources({ runningOnly: true }, upstream.as(accountId));
  return sources.map(({ symbol, stats }) => ({
    symbol,
    isBlind: stats?.freshness === Freshness.BLIND,
    lastEventMs: millisecondsOf(stats?.lastEventTime),
  }));
}

/** Asks every command replica, and the gateway whether it reaches one. Never rejects. */
export async function deliveryOf(upstream: Upstream): Promise<DeliveryFacts> {
  const [replicas, pollingDeadBecause] = await Promise.all([
    Promise.all(upstream.replicas.map(serves)),
    gatewayFault(upstream.gatewayUrl),
  ]);
  const streamsDeadBecause = replicas.includes(true) ? undefined : `none of ${replicas.length} command replicas serves`;
  return { streamsDeadBecause, pollingDeadBecause };
}

/** Asks every replica of the services behind. Never rejects. */
export function servicesOf(upstream: Upstream): Promise<ServiceFacts[]> {
  return Promise.all(
    [...upstream.services].map(async ([service, clients]) => {
      const answers = await Promise.all(clients.map(serves));
      return { service, replicas: answers.length, serving: answers.filter((isServing) => isServing).length };
    }),
  );
}

async function serves(replica: Client<typeof Health>): Promise<boolean> {
  try {
    return (await replica.check({})).status === ServingStatus.SERVING;
  } catch {
    return false;
  }
}

async function gatewayFault(url: string): Promise<string | undefined> {
  if (url === '') return 'there is no gateway to poll';
  try {
    const answer = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(GATEWAY_MS_MAX) });
    return answer.ok ? undefined : 'the gateway that executors poll is not ready';
  } catch {
    return 'the gateway that executors poll does not answer';
  }
}

function millisecondsOf(time: Timestamp | undefined): number | null {
  return time === undefined ? null : timestampMs(time);
}
