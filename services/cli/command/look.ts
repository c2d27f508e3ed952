import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { CommandSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  CancelCommandResponseSchema,
  ExplainCommandResponseSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Cli } from '../cli.ts';
import { parseDuration, parseDurationMs } from '../terminal/duration.ts';
import { CliError, EXIT } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { showCommand, transitionText } from './view.ts';
import { finishOrShow } from './wait.ts';

interface RetryOptions {
  readonly wait?: string;
  readonly requestId?: string;
  readonly deadline?: string;
}

/** `command get`, `explain`, `cancel` and `retry`: what is done with one command's id. */
export function registerLook(parent: Command, cli: Cli): void {
  parent
    .command('get')
    .description('show one command as it is now')
    .argument('<id>')
    .action((id: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ commands, out }) => {
        const { command: found } = await repeatWhileUnavailable(() => commands.getCommand({ id }));
        if (found === undefined) throw new CliError(EXIT.failed, 'the platform answered without a command');
        out.document(protoJson(CommandSchema, found));
        showCommand(out, found);
      }),
    );

  parent
    .command('explain')
    .description('say in one sentence what holds a command up, and show its history')
    .argument('<id>')
    .action((id: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ commands, out }) => {
        const explained = await repeatWhileUnavailable(() => commands.explainCommand({ id }));
        out.document(protoJson(ExplainCommandResponseSchema, explained));
        out.say(explained.sentence);
        if (explained.blockingCommandIds.length > 0) out.say(`in front: ${explained.blockingCommandIds.join(', ')}`);
        for (const step of explained.timeline) out.say(`  ${transitionText(step)}`);
      }),
    );

  parent
    .command('cancel')
    .description('end a command that is not with its agent yet, or ask the agent to drop it')
    .argument('<id>')
    .action((id: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ commands, out }) => {
        const response = await repeatWhileUnavailable(() => commands.cancelCommand({ id }));
        out.document(protoJson(CancelCommandResponseSchema, response));
        out.say(
          response.cancelled
            ? `cancelled ${id}`
            : `the agent has been asked to drop ${id}; it still ends by what the agent answers (strategos command get ${id})`,
        );
      }),
    );

  parent
    .command('retry')
    .description('issue a command again that ended without success, as a new command')
    .argument('<id>')
    .option('--wait <duration>', 'wait for its end; exit 1 when it does not succeed, 4 when the wait runs out')
    .option('--request-id <id>', 'the same id gives the same new command, however often it is sent')
    .option('--deadline <duration>', 'time in which an agent must have taken it')
    .action(async (id: string, options: RetryOptions, command: Command) => {
      const waitMs = options.wait === undefined ? undefined : parseDurationMs(options.wait);
      const request = {
        id,
        requestId: options.requestId ?? uuid(),
        ...(options.deadline === undefined ? {} : { deadlines: { deliverWithin: parseDuration(options.deadline) } }),
      };
      await cli.withClients(command, async (session) => {
        const response = await repeatWhileUnavailable(() => session.commands.retryCommand(request));
        await finishOrShow(session, response.command, waitMs);
      });
    });
}
