import { create } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import colors from 'picocolors';
import { ChangeType, type Strategy } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import {
  FieldChangeSchema,
  type Revision,
  RevisionSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { type Definition, diffDefinitions, parseDefinition } from '../../strategy/index.ts';
import type { Cli, Session } from '../cli.ts';
import { parseLimit } from '../command/list.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { type Output, protoJson } from '../terminal/output.ts';
import { pages } from '../terminal/pages.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { formatTime } from '../terminal/time.ts';
import { readStrategyFile } from './file.ts';
import { parseRevision } from './revision.ts';
import { changeText } from './view.ts';

interface DiffOptions {
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
}

/** `strategy diff`: the latest changes, two revisions, or a stored one and a file. */
export function registerDiff(parent: Command, cli: Cli): void {
  parent
    .command('diff')
    .description('show what the latest changes of a strategy were, or what is different between two of its forms')
    .argument('<strategy>', 'name or id; a deleted one by its id')
    .argument('[file]', 'compare with this file in the JSON form; - for standard input')
    .option('--from <n>', 'compare this revision')
    .option('--to <n>', 'with this one (without it, the newest)')
    .option('--limit <n>', 'without a file and revisions: how many changes at most', '1')
    .action(async (strategy: string, file: string | undefined, options: DiffOptions, command: Command) => {
      const [from, to] = [parseRevision(options.from), parseRevision(options.to)];
      const limit = parseLimit(options.limit);
      if (file !== undefined && to !== undefined) throw usageError('give either a file or --to');
      if (to !== undefined && from === undefined) throw usageError('--to needs --from');
      const after = file === undefined ? undefined : definitionOf(await readStrategyFile(file), file);
      await cli.withClients(command, async (session) => {
        if (after === undefined && from === undefined) await showHistory(session, strategy, limit);
        else {
          const before = await stored(session, strategy, from);
          show(session.out, before, after ?? (await stored(session, strategy, to)));
        }
      });
    });
}

async function stored({ strategies }: Session, strategy: string, revision = 0n): Promise<Definition> {
  const found: Strategy | undefined = (
    await repeatWhileUnavailable(() => strategies.getStrategy({ strategy, revision }))
  ).strategy;
  return definitionOf(found?.json ?? '', `${strategy} at revision ${found?.revision ?? revision}`);
}

function definitionOf(json: string, what: string): Definition {
  const { definition, faults } = parseDefinition(json);
  if (definition !== undefined) return definition;
  const first = faults.find(({ warning }) => !warning);
  const where = first === undefined || first.field === '' ? '' : `${first.field} `;
  throw new CliError(EXIT.failed, `${what} cannot be compared: ${where}${first?.description ?? 'it is not valid'}`);
}

function show(out: Output, before: Definition, after: Definition): void {
  const changes = diffDefinitions(before, after).map((change) => create(FieldChangeSchema, change));
  for (const change of changes) {
    out.jsonLine(protoJson(FieldChangeSchema, change));
    out.say(changeText(change));
  }
  if (changes.length === 0) out.say('nothing is different');
}

async function showHistory({ strategies, out }: Session, strategy: string, limit: number): Promise<void> {
  const found = pages(limit, async (pageSize, pageToken) => {
    const response = await strategies.listRevisions({ strategy, pageSize, pageToken });
    return { items: response.revisions, nextPageToken: response.nextPageToken };
  });
  for await (const revision of found) {
    out.jsonLine(protoJson(RevisionSchema, revision));
    out.say(revisionTitle(revision));
    for (const change of revision.changes) out.say(`  ${changeText(change)}`);
  }
}

/** "revision 7, updated 14:02:11.250 by anna" */
export function revisionTitle({ strategy, type, author }: Revision): string {
  const done = (ChangeType[type] ?? 'changed').toLowerCase();
  const time = formatTime(strategy?.updateTime) ?? '';
  return `${colors.bold(`revision ${strategy?.revision ?? '?'}`)}, ${done} ${time} by ${author}`;
}
