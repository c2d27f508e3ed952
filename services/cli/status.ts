import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../../proto/gen/grpc/health/v1/health_pb.js';
import { Role, TokenSchema } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { GetCommandStatsResponseSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorSchema, ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type Cli, globals, type Session } from './cli.ts';
import { connectClients } from './client.ts';
import { EXECUTOR_COLUMNS, executorRow } from './executor/view.ts';
import { resolveUrl } from './settings.ts';
import { parseDurationMs } from './terminal/duration.ts';
import { CliError, EXIT, failureOf } from './terminal/errors.ts';
import { protoJson } from './terminal/output.ts';
import { valueName } from './terminal/value-name.ts';

const WAIT_DEFAULT = '60s';
const WAIT_POLL_MS = 100;
const CHECK_MS_MAX = 2_000;
const EXECUTORS_SHOWN = 20;

/** `strategos status`. */
export function registerStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .description('show whether the platform answers, as whom you call it, and who is connected')
    .option('--wait [duration]', `wait until it is ready, ${WAIT_DEFAULT} at most; exit 4 when it is not`)
    .action(async (options: { wait?: string | true }, command: Command) => {
      if (options.wait !== undefined) {
        await waitUntilReady(command, cli, parseDurationMs(options.wait === true ? WAIT_DEFAULT : options.wait));
      }
      await cli.withClients(command, (session) => show(session));
    });
}

/** The address may be written only while we wait, so everything is looked up again each time. */
async function waitUntilReady(command: Command, cli: Cli, waitMs: number): Promise<void> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const obstacle = await obstacleTo(command, cli);
    if (obstacle === undefined) return;
    if (performance.now() >= endMs) throw new CliError(EXIT.waitOver, `not ready: ${obstacle}`);
    await pause(WAIT_POLL_MS);
  }
}

/** Why the platform is not ready; undefined when it is. */
async function obstacleTo(command: Command, cli: Cli): Promise<string | undefined> {
  try {
    const url = await resolveUrl(globals(command));
    cli.url = url;
    using clients = connectClients(url, undefined);
    const { status } = await clients.health.check({ service: '' }, { timeoutMs: CHECK_MS_MAX });
    return status === ServingStatus.SERVING ? undefined : `the gateway says ${ServingStatus[status] ?? status}`;
  } catch (thrown) {
    return failureOf(thrown, cli.url).message;
  }
}

async function show(session: Session): Promise<void> {
  const { out, url } = session;
  const health = await session.health.check({ service: '' });
  const { token } = await session.access.whoAmI({});
  const { executors } = await session.executors.listExecutors({ pageSize: 1_000 });
  const stats = await session.commands.getCommandStats({});
  const online = executors.filter(({ state }) => state === ExecutorState.ONLINE).length;
  out.document({
    url,
    health: ServingStatus[health.status] ?? String(health.status),
    ...(token === undefined ? {} : { token: protoJson(TokenSchema, token) }),
    executors: executors.map((executor) => protoJson(ExecutorSchema, executor)),
    stats: protoJson(GetCommandStatsResponseSchema, stats),
  });
  out.details([
    ['gateway', `${url} ${(ServingStatus[health.status] ?? String(health.status)).toLowerCase()}`],
    [
      'token',
      token === undefined
        ? ''
        : `${token.name}, ${valueName(Role, token.role).toLowerCase()} of account ${token.accountId}`,
    ],
    ['executors', `${online} of ${executors.length} online`],
    ['commands', `${stats.count} in 24h, ${(stats.successRate * 100).toFixed(1)} % successful`],
  ]);
  if (executors.length === 0) return;
  out.say('');
  out.table(EXECUTOR_COLUMNS, executors.slice(0, EXECUTORS_SHOWN).map(executorRow), '');
  if (executors.length > EXECUTORS_SHOWN)
    out.say(`… and ${executors.length - EXECUTORS_SHOWN} more: strategos executor list`);
}
