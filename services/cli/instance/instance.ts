import type { Command } from 'commander';
import { InstanceSchema } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { ExplainInstanceResponseSchema } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import type { Cli } from '../cli.ts';
import { usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { INSTANCE_COLUMNS, instanceRow, showExplanation } from './view.ts';
import { registerInstanceWatch } from './watch.ts';

const EXAMPLES = `
Examples:
  $ strategos instance list
  $ strategos instance explain --session ID --strategy my_pump_strategy --symbol BTC_USDT
  $ strategos instance watch --from-start`;

interface ListOptions {
  readonly session?: string;
  readonly strategy?: string;
  readonly ended?: boolean;
}

interface Place {
  readonly session?: string;
  readonly strategy?: string;
  readonly symbol?: string;
}

/** `strategos instance …`: strategies as they run on symbols within sessions. */
export function registerInstance(program: Command, cli: Cli): void {
  const instance = program
    .command('instance')
    .description('see which strategies run on which symbols, what they decided, and why they do not trade')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerList(instance, cli);
  registerExplain(instance, cli);
  registerInstanceWatch(instance, cli);
}

function registerList(parent: Command, cli: Cli): void {
  parent
    .command('list')
    .description('list instances by session, strategy and symbol')
    .option('--session <id>', 'of this session alone')
    .option('--strategy <id>', 'of the strategy with this id alone')
    .option('--ended', 'those that were deactivated, too')
    .action((options: ListOptions, command: Command) =>
      cli.withClients(command, async ({ instances: client, out }) => {
        const { session: sessionId = '', strategy: strategyId = '', ended = false } = options;
        const { instances } = await client.listInstances({ sessionId, strategyId, ended });
        for (const instance of instances) out.jsonLine(protoJson(InstanceSchema, instance));
        out.table(INSTANCE_COLUMNS, instances.map(instanceRow), 'no instances');
      }),
    );
}

function registerExplain(parent: Command, cli: Cli): void {
  parent
    .command('explain')
    .description('say what an instance waits for, with each condition as it is now')
    .argument('[instance]', 'id; or name it by --session, --strategy and --symbol')
    .option('--session <id>', 'session that it belongs to')
    .option('--strategy <strategy>', 'name or id')
    .option('--symbol <symbol>', 'such as BTC_USDT')
    .action((instanceId: string | undefined, place: Place, command: Command) => {
      const request = explainRequest(instanceId, place);
      return cli.withClients(command, async ({ instances, out }) => {
        const response = await instances.explainInstance(request);
        out.document(protoJson(ExplainInstanceResponseSchema, response));
        showExplanation(out, response);
      });
    });
}

/** @throws CliError usage unless the instance is named in one of the two ways. */
function explainRequest(instanceId: string | undefined, { session, strategy, symbol }: Place) {
  if (instanceId !== undefined) {
    if (session !== undefined || strategy !== undefined || symbol !== undefined) {
      throw usageError('an id names the instance already; leave --session, --strategy and --symbol out');
    }
    return { instanceId };
  }
  if (session === undefined || strategy === undefined || symbol === undefined) {
    throw usageError('name the instance by its id, or by --session, --strategy and --symbol together');
  }
  return { sessionId: session, strategy, symbol };
}
