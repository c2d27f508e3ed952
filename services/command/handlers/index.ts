import type { ServiceImpl } from '@connectrpc/connect';
import type { CommandService } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { cancelCommand } from './cancel-command.ts';
import { createExecutor } from './create-executor.ts';
import type { CommandHandlerDependencies, ExecutorHandlerDependencies } from './dependencies.ts';
import { disableExecutor } from './disable-executor.ts';
import { explainCommand } from './explain-command.ts';
import { getCommand } from './get-command.ts';
import { getCommandStats } from './get-command-stats.ts';
import { getExecutor } from './get-executor.ts';
import { issueCommand } from './issue-command.ts';
import { issueCommandStream } from './issue-command-stream.ts';
import { issueCommands } from './issue-commands.ts';
import { listAccounts } from './list-accounts.ts';
import { listCommands } from './list-commands.ts';
import { listExecutors } from './list-executors.ts';
import { listQuarantinedCommands } from './list-quarantined-commands.ts';
import { retryCommand } from './retry-command.ts';
import { rotateCredentials } from './rotate-credentials.ts';
import { settleCommand } from './settle-command.ts';
import { watchCommands } from './watch-commands.ts';
import { watchExecutors } from './watch-executors.ts';
import { watchVenueEvents } from './watch-venue-events.ts';

export type { CommandHandlerDependencies, ExecutorHandlerDependencies } from './dependencies.ts';

export function commandHandlers(deps: CommandHandlerDependencies): ServiceImpl<typeof CommandService> {
  return {
    issueCommand: issueCommand(deps),
    issueCommands: issueCommands(deps),
    issueCommandStream: issueCommandStream(deps),
    getCommand: getCommand(deps),
    listCommands: listCommands(deps),
    watchCommands: watchCommands(deps),
    cancelCommand: cancelCommand(deps),
    retryCommand: retryCommand(deps),
    settleCommand: settleCommand(deps),
    explainCommand: explainCommand(deps),
    getCommandStats: getCommandStats(deps),
    listAccounts: listAccounts(deps),
    listQuarantinedCommands: listQuarantinedCommands(deps),
  };
}

export function executorHandlers(deps: ExecutorHandlerDependencies): ServiceImpl<typeof ExecutorService> {
  return {
    createExecutor: createExecutor(deps),
    getExecutor: getExecutor(deps),
    listExecutors: listExecutors(deps),
    watchExecutors: watchExecutors(deps),
    rotateCredentials: rotateCredentials(deps),
    disableExecutor: disableExecutor(deps),
    watchVenueEvents: watchVenueEvents(deps),
  };
}
