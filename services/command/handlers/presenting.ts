import type { Command as WireCommand } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { notFound, StatusError } from '../../platform/errors.ts';
import type { Command } from '../domain/command.ts';
import type { CommandReader } from '../domain/command-reader.ts';
import type { ExecutorDirectory } from '../domain/executor-book.ts';
import { commandToProto } from '../wire/command-to-proto.ts';

/** Commands as callers see them, with the names of their executors. */
export async function presentCommands(
  directory: ExecutorDirectory,
  accountId: string,
  commands: readonly Command[],
): Promise<WireCommand[]> {
  const names = await directory.names(
    accountId,
    commands.map((command) => command.executorId),
  );
  return commands.map((command) => commandToProto(command, names.get(command.executorId) ?? ''));
}

export async function presentCommand(directory: ExecutorDirectory, command: Command): Promise<WireCommand> {
  const names = await directory.names(command.accountId, [command.executorId]);
  return commandToProto(command, names.get(command.executorId) ?? '');
}

/** The stored command. @throws NOT_FOUND, also for one of another account, and FAILED_PRECONDITION for a row that cannot be read. */
export async function readCommand(reader: CommandReader, accountId: string, id: string): Promise<Command> {
  const found = await reader.get(accountId, id.toLowerCase());
  if (found === undefined) throw notFound('command', id);
  if (!('defect' in found)) return found;
  throw new StatusError(
    'FailedPrecondition',
    'QUARANTINED',
    `the stored command ${id} cannot be read (${found.defect}); ListQuarantinedCommands shows the row`,
    { metadata: { defect: found.defect } },
  );
}
