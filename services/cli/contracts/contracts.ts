import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import colors from 'picocolors';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { contractDigest } from '../../platform/grpc/contract-digest.ts';
import type { Cli } from '../cli.ts';
// Made by `npm run contracts:release`: the releases whose agents this build is held against.
import supported from '../supported-contracts.json' with { type: 'json' };
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { pages } from '../terminal/pages.ts';
import { formatAge } from '../terminal/time.ts';
import { deployable, type FleetMember, type FleetVerdict } from './fleet.ts';

const DAYS_DEFAULT = 30;
const DAYS_MAX = 3_650;
const DAY_MS = 86_400_000;
const EXECUTORS_MAX = 100_000;
const DIGEST_CHARS_SHOWN = 12;

const EXAMPLES = `
Examples:
  $ strategos contracts can-deploy                 would an executor of this account break with this build?
  $ strategos contracts can-deploy --days 7 --json`;

/** `strategos contracts …`: this build's wire format against the executors in the field. */
export function registerContracts(program: Command, cli: Cli): void {
  const contracts = program
    .command('contracts')
    .description('hold this build’s wire format against the executors in the field')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  contracts
    .command('can-deploy')
    .description('say which executors would break with this build, and why; fails when one would')
    .option('--days <number>', `executors that were seen within so many days (${DAYS_DEFAULT} without it)`)
    .action(async (options: { days?: string }, command: Command) => {
      const days = daysOf(options.days);
      await cli.withClients(command, async ({ executors, out }) => {
        const nowMs = Date.now();
        const fleet: FleetMember[] = [];
        const found = pages(EXECUTORS_MAX, async (pageSize, pageToken) => {
          const response = await executors.listExecutors({ pageSize, pageToken });
          return { items: response.executors, nextPageToken: response.nextPageToken };
        });
        for await (const executor of found)
          if (seenSince(executor, nowMs - days * DAY_MS)) fleet.push(memberOf(executor));
        const verdicts = deployable(fleet, { supported, ownDigest: contractDigest(ExecutorLinkService.file), nowMs });
        const breaking = verdicts.filter(({ breaks }) => breaks);
        out.document({ days, executors: verdicts.map(documentOf), canDeploy: breaking.length === 0 });
        out.table(
          ['EXECUTOR', 'AGENT', 'DIGEST', 'RELEASE', 'LAST SEEN', 'VERDICT', 'REASON'],
          verdicts.map(rowOf),
          `no executor was seen within ${days} days`,
        );
        if (breaking.length === 0) return;
        const names = breaking.map(({ name }) => name).join(', ');
        throw new CliError(
          EXIT.failed,
          `${breaking.length} of ${verdicts.length} executors would break: ${names}; install a supported agent there first, or make the baseline of its release with npm run contracts:release`,
        );
      });
    });
}

function daysOf(text: string | undefined): number {
  if (text === undefined) return DAYS_DEFAULT;
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX)
    throw usageError(`--days must be a whole number from 1 to ${DAYS_MAX}, is "${text}"`);
  return days;
}

function seenSince({ state, lastSeenTime }: Executor, sinceMs: number): boolean {
  if (state === ExecutorState.DISABLED || lastSeenTime === undefined) return false;
  return timestampMs(lastSeenTime) >= sinceMs;
}

function memberOf({ name, agentVersion, contractDigest: digest, lastSeenTime }: Executor): FleetMember {
  return { name, agentVersion, digest, lastSeenMs: lastSeenTime === undefined ? 0 : timestampMs(lastSeenTime) };
}

function rowOf({ name, agentVersion, digest, release, lastSeenMs, breaks, reason }: FleetVerdict): string[] {
  return [
    name,
    agentVersion,
    digest === '' ? '–' : digest.slice(0, DIGEST_CHARS_SHOWN),
    release ?? '–',
    `${formatAge({ $typeName: 'google.protobuf.Timestamp', seconds: BigInt(Math.floor(lastSeenMs / 1_000)), nanos: 0 })} ago`,
    breaks ? colors.red('breaks') : colors.green('stays whole'),
    reason,
  ];
}

function documentOf({ name, agentVersion, digest, release, lastSeenMs, ...verdict }: FleetVerdict) {
  const facts = {
    executor: name,
    agentVersion,
    contractDigest: digest,
    lastSeenTime: new Date(lastSeenMs).toISOString(),
  };
  return { ...facts, release: release ?? '', ...verdict, differences: [...verdict.differences] };
}
