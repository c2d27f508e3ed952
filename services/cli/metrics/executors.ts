import type { Registry } from 'prom-client';
import { type Executor, ExecutorState, LinkKind } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { Clients } from '../client.ts';
import { CALL, completeness, listed, type Part, part, type Sample, seconds, secondsOf, word } from './part.ts';

/** More are not told one by one: a hundred series for each of a million are no help to anybody. */
const EXECUTORS_MAX = 10_000;

const GAUGES = {
  executor_info: [
    '1 for each executor that is not disabled, with its state, its link and the build of its agent',
    'executor',
    'state',
    'link',
    'agent_version',
    'contract_digest',
    'host',
  ],
  executor_online: ['1 when its agent is connected and proven alive, 0 otherwise', 'executor'],
  executor_refused: ['1 when its agent calls and is refused', 'executor'],
  executor_last_seen_seconds: ['When its agent was last heard, in Unix time', 'executor'],
  executor_queued: ['Open commands that wait for it', 'executor'],
  executor_queued_max: ['How many may wait before new ones are refused', 'executor'],
  executor_in_flight: ['Commands that its agent has', 'executor'],
  executor_takeovers: [
    'How often an agent with another journal or on another machine took over: rising means two machines with one credential',
    'executor',
  ],
  executor_round_trip_seconds: ['Round trip of its last heartbeat', 'executor'],
  executor_clock_offset_seconds: ["Its agent's clock minus the platform's", 'executor'],
  executors_complete: [`1 when these figures are of all executors, 0 when there are more than ${EXECUTORS_MAX}`],
} as const;

/** Who is there, and how well. */
export function executorPart(registry: Registry): Part {
  return part(registry, 'executors', GAUGES, async (clients) => {
    const { executors, complete } = await enabledExecutors(clients);
    const each = (value: (executor: Executor) => number | undefined): Sample[] =>
      executors.map((executor) => ({ labels: { executor: executor.name }, value: value(executor) }));
    return {
      executor_info: executors.map((executor) => ({ labels: infoOf(executor), value: 1 })),
      executor_online: each(({ state }) => Number(state === ExecutorState.ONLINE)),
      executor_refused: each(({ lastRefusal }) => Number(lastRefusal?.current === true)),
      executor_last_seen_seconds: each(({ lastSeenTime }) => seconds(lastSeenTime)),
      executor_queued: each(({ queued }) => queued),
      executor_queued_max: each(({ queuedMax }) => queuedMax),
      executor_in_flight: each(({ inFlight }) => inFlight),
      executor_takeovers: each(({ takeovers }) => takeovers),
      executor_round_trip_seconds: each(({ roundTrip }) => secondsOf(roundTrip)),
      executor_clock_offset_seconds: each(({ clockOffset }) => secondsOf(clockOffset)),
      executors_complete: completeness(complete),
    };
  });
}

async function enabledExecutors({ executors }: Clients): Promise<{ executors: Executor[]; complete: boolean }> {
  const { items, complete } = await listed(EXECUTORS_MAX, async (pageSize, pageToken) => {
    const page = await executors.listExecutors({ pageSize, pageToken }, CALL);
    return { items: page.executors, nextPageToken: page.nextPageToken };
  });
  return { executors: items.filter(({ state }) => state !== ExecutorState.DISABLED), complete };
}

function infoOf({ name, state, link, agentVersion, contractDigest, host }: Executor): Sample['labels'] {
  return {
    executor: name,
    state: word(ExecutorState[state]),
    link: word(LinkKind[link]),
    agent_version: agentVersion,
    contract_digest: contractDigest,
    host,
  };
}
