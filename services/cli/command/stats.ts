import type { Command } from 'commander';
import {
  GetCommandStatsResponseSchema,
  type LatencySummary,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Cli } from '../cli.ts';
import { parseDuration } from '../terminal/duration.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { formatTime } from '../terminal/time.ts';
import { latencyText, stateText } from './view.ts';

interface StatsOptions {
  readonly executor?: string;
  readonly window?: string;
}

/** `command stats`. */
export function registerStats(parent: Command, cli: Cli): void {
  parent
    .command('stats')
    .description('count and time the commands of a window')
    .option('--executor <executor>', 'name or id')
    .option('--window <duration>', 'how far back, up to 30d (24h without it)')
    .action(async (options: StatsOptions, command: Command) => {
      const request = {
        executor: options.executor ?? '',
        ...(options.window === undefined ? {} : { window: parseDuration(options.window) }),
      };
      await cli.withClients(command, async ({ commands, out }) => {
        const stats = await repeatWhileUnavailable(() => commands.getCommandStats(request));
        out.document(protoJson(GetCommandStatsResponseSchema, stats));
        out.details([
          ['since', formatTime(stats.windowStartTime)],
          ['commands', String(stats.count)],
          ['success rate', percent(stats.successRate)],
          ['accepted → received', latency(stats.acceptedToReceived)],
          ['accepted → finished', latency(stats.acceptedToFinished)],
          ['states', stats.states.map(({ state, count }) => `${stateText(state)} ${count}`).join(', ')],
          ['kinds', stats.kinds.map(({ kind, count }) => `${kind} ${count}`).join(', ')],
        ]);
        if (stats.executors.length === 0) return;
        out.say('');
        out.table(
          ['EXECUTOR', 'COMMANDS', 'SUCCESS', 'RECEIVED p50 / p95 / p99', 'FINISHED p50 / p95 / p99'],
          stats.executors.map((each) => [
            each.executorName,
            String(each.count),
            percent(each.successRate),
            latency(each.acceptedToReceived),
            latency(each.acceptedToFinished),
          ]),
          '',
        );
      });
    });
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(rate === 1 ? 0 : 1)} %`;
}

function latency(summary: LatencySummary | undefined): string {
  if (summary === undefined) return '';
  return [summary.p50Ms, summary.p95Ms, summary.p99Ms].map(latencyText).join(' / ');
}
