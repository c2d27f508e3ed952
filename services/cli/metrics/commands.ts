import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Registry } from 'prom-client';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { LatencySummary } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { CALL, type Part, part, type Sample, word } from './part.ts';

/** Commands that were created so long ago, or less. */
const WINDOW_MS = 300_000;

/** All of them: a rule about a series that is only there sometimes does not fire. */
const STATES = Object.values(CommandState).filter(
  (state): state is CommandState => typeof state === 'number' && state !== CommandState.UNSPECIFIED,
);

const GAUGES = {
  commands_recent: ['Commands created within the last 5 minutes, by the state that they are in now', 'state'],
  commands_recent_by_kind: ['Commands created within the last 5 minutes, by kind', 'kind'],
  command_success_ratio: [
    'Succeeded among the ended commands of the last 5 minutes, cancelled ones left out; 1 for none',
  ],
  command_latency_seconds: [
    'Percentiles of the last 5 minutes from accepted to received by the agent, and to finished',
    'until',
    'percentile',
  ],
  executor_commands_recent: [
    'The same as commands_recent for the 100 executors with the most, in all states',
    'executor',
  ],
  executor_success_ratio: [
    'The same as command_success_ratio for the 100 executors with the most commands',
    'executor',
  ],
} as const;

/** How commands fare. */
export function commandPart(registry: Registry): Part {
  return part(registry, 'commands', GAUGES, async ({ commands }) => {
    const stats = await commands.getCommandStats({ window: durationFromMs(WINDOW_MS) }, CALL);
    return {
      commands_recent: STATES.map((each) => {
        const count = stats.states.find(({ state }) => state === each)?.count ?? 0n;
        return of({ state: word(CommandState[each]) }, count);
      }),
      commands_recent_by_kind: stats.kinds.map(({ kind, count }) => of({ kind }, count)),
      command_success_ratio: [of({}, stats.successRate)],
      command_latency_seconds: [
        ...percentiles('received', stats.acceptedToReceived),
        ...percentiles('finished', stats.acceptedToFinished),
      ],
      executor_commands_recent: stats.executors.map((each) => of({ executor: each.executorName }, each.count)),
      executor_success_ratio: stats.executors.map((each) => of({ executor: each.executorName }, each.successRate)),
    };
  });
}

function of(labels: Sample['labels'], value: number | bigint): Sample {
  return { labels, value: Number(value) };
}

function percentiles(until: string, latency: LatencySummary | undefined): Sample[] {
  if (latency === undefined) return [];
  return [
    of({ until, percentile: '50' }, latency.p50Ms / 1_000),
    of({ until, percentile: '95' }, latency.p95Ms / 1_000),
    of({ until, percentile: '99' }, latency.p99Ms / 1_000),
  ];
}
