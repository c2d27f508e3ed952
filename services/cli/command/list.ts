import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { CommandSchema, type Command as IssuedCommand } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type CommandFilterSchema,
  type QuarantinedCommand,
  QuarantinedCommandSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Cli, Session } from '../cli.ts';
import { usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { pages } from '../terminal/pages.ts';
import { formatAge } from '../terminal/time.ts';
import { kindName } from './kind.ts';
import { COMMAND_COLUMNS, commandRow, parseStates } from './view.ts';

export interface FilterOptions {
  readonly executor?: string;
  readonly state?: readonly string[];
  readonly kind?: readonly string[];
}

interface ListOptions extends FilterOptions {
  readonly limit: string;
  readonly quarantined?: boolean;
}

const LIMIT_DEFAULT = 50;

/** `command list`, also of the quarantine. */
export function registerList(parent: Command, cli: Cli): void {
  withFilterOptions(parent.command('list'))
    .description('list commands, newest first')
    .option('--limit <n>', 'how many at most', String(LIMIT_DEFAULT))
    .option('--quarantined', 'instead: stored rows that could not be read, with the reason')
    .action((options: ListOptions, command: Command) =>
      cli.withClients(command, (session) =>
        options.quarantined === true ? listQuarantined(session, options) : listCommands(session, options),
      ),
    );
}

/** Options that choose commands. */
export function withFilterOptions(command: Command): Command {
  return command
    .option('--executor <executor>', 'name or id')
    .option('--state <states...>', 'pending, sent, received, running, succeeded, failed, …')
    .option('--kind <kinds...>', 'ping, open_position, …');
}

/** @throws CliError usage for an unknown state or kind. */
export function commandFilter(options: FilterOptions): MessageInitShape<typeof CommandFilterSchema> {
  return {
    executor: options.executor ?? '',
    states: parseStates(options.state ?? []),
    kinds: (options.kind ?? []).flatMap((kinds) => kinds.split(',')).map((kind) => kindName(kind.trim())),
  };
}

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isSafeInteger(limit) || limit < 1) throw usageError(`--limit must be a number from 1, not "${text}"`);
  return limit;
}

async function listCommands({ commands, out }: Session, options: ListOptions): Promise<void> {
  const filter = commandFilter(options);
  const rows: IssuedCommand[] = [];
  const found = pages(parseLimit(options.limit), async (pageSize, pageToken) => {
    const response = await commands.listCommands({ filter, pageSize, pageToken });
    return { items: response.commands, nextPageToken: response.nextPageToken };
  });
  for await (const command of found) {
    out.jsonLine(protoJson(CommandSchema, command));
    rows.push(command);
  }
  out.table(COMMAND_COLUMNS, rows.map(commandRow), 'no commands');
}

async function listQuarantined({ commands, out }: Session, options: ListOptions): Promise<void> {
  const rows: QuarantinedCommand[] = [];
  const found = pages(parseLimit(options.limit), async (pageSize, pageToken) => {
    const executor = options.executor ?? '';
    const response = await commands.listQuarantinedCommands({ executor, pageSize, pageToken });
    return { items: response.commands, nextPageToken: response.nextPageToken };
  });
  for await (const row of found) {
    out.jsonLine(protoJson(QuarantinedCommandSchema, row));
    rows.push(row);
  }
  out.table(
    ['COMMAND', 'EXECUTOR', 'AGE', 'DEFECT'],
    rows.map((row) => [row.commandId, row.executorId, formatAge(row.quarantineTime), row.defect]),
    'nothing is in quarantine',
  );
}
