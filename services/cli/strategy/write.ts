import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { type Strategy, StrategySchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { ValidateStrategyResponseSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { nameInFile, readStrategyFile } from './file.ts';
import { parseRevision } from './revision.ts';
import { faultRow, showWarnings, strategyName } from './view.ts';

interface UpdateOptions {
  readonly revision?: string;
  readonly requestId?: string;
}

/** `strategy validate`, `create`, `update` and `delete`. */
export function registerWrites(parent: Command, cli: Cli): void {
  parent
    .command('validate')
    .description('find everything that is wrong with a strategy, and store nothing; exit 1 when it cannot be stored')
    .argument('<file>', 'the strategy in the JSON form; - for standard input')
    .action(async (file: string, _options: object, command: Command) => {
      const json = await readStrategyFile(file);
      await cli.withClients(command, async ({ strategies, out }) => {
        const source = { case: 'json' as const, value: json };
        const answer = await repeatWhileUnavailable(() => strategies.validateStrategy({ source }));
        out.document(protoJson(ValidateStrategyResponseSchema, answer));
        if (answer.faults.length > 0) out.table(['', 'FIELD', ''], answer.faults.map(faultRow), '');
        const faults = answer.faults.filter(({ warning }) => !warning).length;
        if (!answer.valid) {
          throw new CliError(EXIT.failed, `${file} cannot be stored: ${faults} ${faults === 1 ? 'fault' : 'faults'}`);
        }
        out.say(`${answer.definition?.strategyName ?? file} is valid`);
      });
    });

  parent
    .command('create')
    .description('store a new strategy')
    .argument('<file>', 'the strategy in the JSON form; - for standard input')
    .option('--request-id <id>', 'the same id gives the same strategy, however often it is sent')
    .action(async (file: string, options: { requestId?: string }, command: Command) => {
      const request = {
        source: { case: 'json' as const, value: await readStrategyFile(file) },
        requestId: options.requestId ?? uuid(),
      };
      await cli.withClients(command, async ({ strategies, out }) => {
        const response = await repeatWhileUnavailable(() => strategies.createStrategy(request));
        const created = required(response.strategy);
        showWarnings(out, response.warnings);
        out.document(protoJson(StrategySchema, created));
        out.say(`created ${strategyName(created)} (${created.id}) at revision ${created.revision}`);
      });
    });

  parent
    .command('update')
    .description('store a new revision of a strategy')
    .argument('<strategy>', 'name or id; or the file alone, which then names the strategy itself')
    .argument('[file]', 'the strategy in the JSON form; - for standard input')
    .option(
      '--revision <n>',
      'refuse when the strategy has another newest revision (without it: the one that is newest now)',
    )
    .option(
      '--request-id <id>',
      'with --revision: the same id and body give the same revision, however often it is sent',
    )
    .action(async (named: string, given: string | undefined, options: UpdateOptions, command: Command) => {
      const wanted = parseRevision(options.revision);
      // The newest one is another when the update is sent again, and so would be the body.
      if (options.requestId !== undefined && wanted === undefined) {
        throw usageError(
          '--request-id needs --revision: without it another revision is asked for when it is sent again',
        );
      }
      const file = given ?? named;
      const json = await readStrategyFile(file);
      const strategy = given === undefined ? nameInFile(json, file) : named;
      await cli.withClients(command, async ({ strategies, out }) => {
        const before = required((await repeatWhileUnavailable(() => strategies.getStrategy({ strategy }))).strategy);
        const revision = wanted ?? before.revision;
        const source = { case: 'json' as const, value: json };
        // Made here when none is given, so that repeating a call that may have arrived does no harm.
        const request = { strategy, revision, source, requestId: options.requestId ?? uuid() };
        const response = await repeatWhileUnavailable(() => strategies.updateStrategy(request));
        const updated = required(response.strategy);
        showWarnings(out, response.warnings);
        out.document(protoJson(StrategySchema, updated));
        out.say(
          updated.revision === before.revision
            ? `${strategyName(updated)} stays at revision ${updated.revision}: nothing is different`
            : `updated ${strategyName(updated)} to revision ${updated.revision} (strategos strategy diff ${updated.id})`,
        );
      });
    });

  parent
    .command('delete')
    .description('end a strategy; its revisions stay readable by its id')
    .argument('<strategy>', 'name or id')
    .option('--force', 'although sessions use it; they go on with the revision that they run')
    .action((strategy: string, options: { force?: boolean }, command: Command) =>
      cli.withClients(command, async ({ strategies, out }) => {
        const request = { strategy, force: options.force === true };
        const deleted = required((await strategies.deleteStrategy(request)).strategy);
        out.document(protoJson(StrategySchema, deleted));
        out.say(`deleted ${strategyName(deleted)} (${deleted.id}) at revision ${deleted.revision}`);
      }),
    );
}

function required(strategy: Strategy | undefined): Strategy {
  if (strategy === undefined) throw new CliError(EXIT.failed, 'the platform answered without a strategy');
  return strategy;
}
