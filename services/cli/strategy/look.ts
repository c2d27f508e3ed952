import type { Command } from 'commander';
import { type Strategy, StrategySchema } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { GetRolloutResponseSchema } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Cli } from '../cli.ts';
import { parseLimit } from '../command/list.ts';
import { CliError, EXIT } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { pages } from '../terminal/pages.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { prettyForm, writeStrategyFile } from './file.ts';
import { parseRevision } from './revision.ts';
import { STRATEGY_COLUMNS, showStrategy, strategyRow } from './view.ts';

const LIMIT_DEFAULT = 100;

interface GetOptions {
  readonly revision?: string;
  readonly out?: string;
}

/** `strategy get`, `list` and `rollout`. */
export function registerLooks(parent: Command, cli: Cli): void {
  parent
    .command('get')
    .description('show a strategy, or write it into a file in the JSON form')
    .argument('<strategy>', 'name or id; a deleted one by its id')
    .option('--revision <n>', "as it was at this revision of the account's strategies")
    .option('--out <file>', 'write the JSON form there, in place of what the file holds; - for standard output')
    .action(async (strategy: string, options: GetOptions, command: Command) => {
      const revision = parseRevision(options.revision) ?? 0n;
      await cli.withClients(command, async ({ strategies, out }) => {
        const response = await repeatWhileUnavailable(() => strategies.getStrategy({ strategy, revision }));
        const found = response.strategy;
        if (found === undefined) throw new CliError(EXIT.failed, 'the platform answered without a strategy');
        if (options.out === '-') {
          process.stdout.write(prettyForm(found.json));
          return;
        }
        if (options.out !== undefined) await writeStrategyFile(options.out, found.json);
        out.document(protoJson(StrategySchema, found));
        showStrategy(out, found);
        if (options.out !== undefined) out.say(`wrote ${options.out}`);
      });
    });

  parent
    .command('list')
    .description('list strategies by name')
    .option('--limit <n>', 'how many at most', String(LIMIT_DEFAULT))
    .action(async (options: { limit: string }, command: Command) => {
      const limit = parseLimit(options.limit);
      await cli.withClients(command, async ({ strategies, out }) => {
        const rows: Strategy[] = [];
        const found = pages(limit, async (pageSize, pageToken) => {
          const response = await strategies.listStrategies({ pageSize, pageToken });
          return { items: response.strategies, nextPageToken: response.nextPageToken };
        });
        for await (const strategy of found) {
          out.jsonLine(protoJson(StrategySchema, strategy));
          rows.push(strategy);
        }
        out.table(STRATEGY_COLUMNS, rows.map(strategyRow), 'no strategies');
      });
    });

  parent
    .command('rollout')
    .description('show which evaluators and sessions run which revision')
    .argument('[strategy]', 'name or id; all without it')
    .action((strategy: string | undefined, _options: object, command: Command) =>
      cli.withClients(command, async ({ strategies, out }) => {
        const request = { strategy: strategy ?? '' };
        const rollout = await repeatWhileUnavailable(() => strategies.getRollout(request));
        out.document(protoJson(GetRolloutResponseSchema, rollout));
        out.say(`the account's strategies are at revision ${rollout.revision}`);
        out.table(
          ['EVALUATOR', 'APPLIED', ''],
          rollout.evaluators.map((each) => [each.replicaId, String(each.appliedRevision), currentText(each.current)]),
          'no evaluator follows them',
        );
        out.table(
          ['SESSION', 'STRATEGY', 'SYMBOL', 'RUNS', '', 'ON'],
          rollout.instances.map((each) => [
            each.sessionId,
            each.strategyId,
            each.symbol,
            each.runningRevision === 0n ? 'none yet' : String(each.runningRevision),
            each.pinned ? 'pinned' : currentText(each.current),
            each.replicaId,
          ]),
          'no session runs them',
        );
        for (const sentence of rollout.unreachable) out.note(sentence);
      }),
    );
}

function currentText(current: boolean): string {
  return current ? 'current' : 'behind';
}
