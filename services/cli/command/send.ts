import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { Lane } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  DeadlineSpansSchema,
  IssueCommandRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Cli } from '../cli.ts';
import { parseDuration, parseDurationMs } from '../terminal/duration.ts';
import { usageError } from '../terminal/errors.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { KIND_NAMES, parseKind } from './kind.ts';
import { finishOrShow } from './wait.ts';

const LANES: Readonly<Record<string, Lane>> = {
  normal: Lane.NORMAL,
  high: Lane.HIGH,
  critical: Lane.CRITICAL,
};

const EXAMPLES = `
KIND is one of ${KIND_NAMES.join(', ')}; open-position, openPosition and OpenPosition are understood too.
JSON is the kind's message, in snake_case or camelCase.

Examples:
  $ strategos command send vps-1 ping '{"payload": "hello"}' --wait 5s
  $ strategos command send vps-1 start_session '{"session_id": "s-1", "mode": "paper", "initial_balance": "10000"}' --wait 5s
  $ strategos command send vps-1 stop_all '{"close_positions": true}' --priority critical`;

interface SendOptions {
  readonly wait?: string;
  readonly requestId?: string;
  readonly deadline?: string;
  readonly priority?: string;
}

/** `command send`. */
export function registerSend(parent: Command, cli: Cli): void {
  parent
    .command('send')
    .description('issue a command; without --wait it is durable when this returns')
    .argument('<executor>', 'name or id')
    .argument('<kind>', 'what to do')
    .argument('[json]', "the kind's fields")
    .option('--wait <duration>', 'wait for its end; exit 1 when it does not succeed, 4 when the wait runs out')
    .option('--request-id <id>', 'the same id and body give the same command, however often it is sent')
    .option('--deadline <duration>', 'never deliver and never start it later than this')
    .option('--priority <lane>', 'normal, high or critical, in place of the kind’s own')
    .addHelpText('after', EXAMPLES)
    .action(
      async (executor: string, kind: string, json: string | undefined, options: SendOptions, command: Command) => {
        const waitMs = options.wait === undefined ? undefined : parseDurationMs(options.wait);
        const request = create(IssueCommandRequestSchema, {
          executor,
          // Made here when none is given, so that repeating a call that may have arrived does no harm.
          requestId: options.requestId ?? uuid(),
          kind: parseKind(kind, json),
          ...(options.priority === undefined ? {} : { lane: parseLane(options.priority) }),
          ...(options.deadline === undefined ? {} : deadlineFields(options.deadline)),
        });
        await cli.withClients(command, async (session) => {
          const response = await repeatWhileUnavailable(() => session.commands.issueCommand(request));
          if (response.alreadyIssued) session.out.note('this request id was used before; this is the command it made');
          await finishOrShow(session, response.command, waitMs);
        });
      },
    );
}

/** One span for both: an agent must have it by then, and must not start it later. */
function deadlineFields(
  text: string,
): Pick<MessageInitShape<typeof IssueCommandRequestSchema>, 'deadlines' | 'notAfter'> {
  return {
    deadlines: create(DeadlineSpansSchema, { deliverWithin: parseDuration(text) }),
    notAfter: timestampFromMs(Date.now() + parseDurationMs(text)),
  };
}

function parseLane(text: string): Lane {
  const lane = LANES[text.toLowerCase()];
  if (lane === undefined) throw usageError(`there is no priority "${text}"; write ${Object.keys(LANES).join(', ')}`);
  return lane;
}
