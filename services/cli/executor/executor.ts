import { type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import {
  type CreateExecutorRequestSchema,
  CreateExecutorResponseSchema,
  type Credentials,
  CredentialsSchema,
  type Executor,
  ExecutorSchema,
  RotateCredentialsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { requireNewFile, writeSecret } from '../access/secret-file.ts';
import type { Cli } from '../cli.ts';
import { parseDuration } from '../terminal/duration.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { type Output, protoJson } from '../terminal/output.ts';
import { pages } from '../terminal/pages.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { registerExecutorDoctor } from './doctor.ts';
import { registerRun } from './run.ts';
import { EXECUTOR_COLUMNS, executorRow, showExecutor } from './view.ts';

const EXAMPLES = `
Examples:
  $ strategos executor create vps-1 --label region=fra --out vps-1.json
  $ strategos executor run --credentials vps-1.json
  $ strategos executor doctor --credentials vps-1.json
  $ strategos executor rotate vps-1 --overlap 24h --out vps-1.new.json
  $ strategos executor list --json`;

/** An account has some hundred executors; a list stops here. */
const LISTED_MAX = 100_000;

/** `strategos executor …`: remote agents and their credentials. */
export function registerExecutor(program: Command, cli: Cli): void {
  const executor = program
    .command('executor')
    .description('register executors, manage their credentials, run one')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  registerSecrets(executor, cli);
  registerReads(executor, cli);
  registerRun(executor, cli);
  registerExecutorDoctor(executor, cli);
}

function registerSecrets(parent: Command, cli: Cli): void {
  parent
    .command('create')
    .description('register an executor; its secret is shown this once')
    .argument('<name>', 'a–z, 0–9, "-", "_", "."')
    .option('--label <key=value>', 'may be given several times', collect, [])
    .option('--out <file>', 'write the credentials file (mode 0600) in place of printing it')
    .action(async (name: string, options: { label: string[]; out?: string }, command: Command) => {
      const request: MessageInitShape<typeof CreateExecutorRequestSchema> = {
        name,
        labels: parseLabels(options.label),
      };
      await requireNewFile(options.out);
      await cli.withClients(command, async ({ executors, out }) => {
        const response = await executors.createExecutor(request);
        const written = await handOver(out, response.credentials, options.out);
        out.document(protoJson(CreateExecutorResponseSchema, { ...response, credentials: written }));
      });
    });

  parent
    .command('rotate')
    .description('make a new credential; the old ones live on for the overlap')
    .argument('<executor>', 'name or id')
    .option('--overlap <duration>', 'how long the old ones stay valid (1h without it, 0s ends them at once)')
    .option('--out <file>', 'write the credentials file (mode 0600), in place of an old one if there is one')
    .action(async (executor: string, options: { overlap?: string; out?: string }, command: Command) => {
      const request = {
        executor,
        ...(options.overlap === undefined ? {} : { overlap: parseDuration(options.overlap) }),
      };
      await cli.withClients(command, async ({ executors, out }) => {
        const response = await executors.rotateCredentials(request);
        const written = await handOver(out, response.credentials, options.out);
        out.document(protoJson(RotateCredentialsResponseSchema, { ...response, credentials: written }));
      });
    });
}

function registerReads(parent: Command, cli: Cli): void {
  parent
    .command('list')
    .description('list executors by name')
    .option('--label <key=value>', 'only those with the label; may be given several times', collect, [])
    .action(async (options: { label: string[] }, command: Command) => {
      const labels = parseLabels(options.label);
      await cli.withClients(command, async ({ executors, out }) => {
        const rows: Executor[] = [];
        const found = pages(LISTED_MAX, async (pageSize, pageToken) => {
          const response = await executors.listExecutors({ pageSize, pageToken, labels });
          return { items: response.executors, nextPageToken: response.nextPageToken };
        });
        for await (const executor of found) {
          out.jsonLine(protoJson(ExecutorSchema, executor));
          rows.push(executor);
        }
        out.table(EXECUTOR_COLUMNS, rows.map(executorRow), 'no executors; register one with strategos executor create');
      });
    });

  parent
    .command('get')
    .description('show one executor as it is now')
    .argument('<executor>', 'name or id')
    .action((executor: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ executors, out }) => {
        const response = await repeatWhileUnavailable(() => executors.getExecutor({ executor }));
        const found = required(response.executor);
        out.document(protoJson(ExecutorSchema, found));
        showExecutor(out, found);
      }),
    );

  parent
    .command('disable')
    .description('refuse new commands and streams, and close the open stream within a second')
    .argument('<executor>', 'name or id')
    .action((executor: string, _options: object, command: Command) =>
      cli.withClients(command, async ({ executors, out }) => {
        const response = await repeatWhileUnavailable(() => executors.disableExecutor({ executor }));
        const disabled = required(response.executor);
        out.document(protoJson(ExecutorSchema, disabled));
        out.say(`disabled ${disabled.name}; commands already accepted keep their deadlines`);
      }),
    );
}

/** Writes or prints the credentials; what is returned goes into JSON output, without the secret when a file has it. */
async function handOver(
  out: Output,
  credentials: Credentials | undefined,
  file: string | undefined,
): Promise<Credentials> {
  if (credentials === undefined) throw new CliError(EXIT.failed, 'the platform answered without credentials');
  const text = toJsonString(CredentialsSchema, credentials, { prettySpaces: 2 });
  if (file === undefined) {
    out.say(text);
    if (!out.json) out.note('keep this in a file of mode 0600: the secret is not shown again');
    return credentials;
  }
  await writeSecret(file, `${text}\n`);
  out.say(`wrote ${file} (mode 0600) for ${credentials.executorName}; run it with`);
  out.say(`  strategos executor run --credentials ${file}`);
  return { ...credentials, secret: '' };
}

function required(executor: Executor | undefined): Executor {
  if (executor === undefined) throw new CliError(EXIT.failed, 'the platform answered without an executor');
  return executor;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function parseLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf('=');
      if (at < 1) throw usageError(`the label "${label}" must be written key=value`);
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}
