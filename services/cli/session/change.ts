import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { SessionSchema, type Session as TradingSession } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { Cli, Session } from '../cli.ts';
import { parseDurationMs } from '../terminal/duration.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { showSession } from './view.ts';

/** How much longer than the wait a call itself may take. */
const GRACE_MS = 10_000;

interface SymbolOptions {
  readonly strategy: string;
  readonly symbol: readonly string[];
}

/** `session stop`, `pause`, `resume`, `activate`, `deactivate`. */
export function registerChanges(parent: Command, cli: Cli): void {
  registerStops(parent, cli);
  registerStrategies(parent, cli);
}

function registerStops(parent: Command, cli: Cli): void {
  parent
    .command('stop')
    .description('end a session; with its executor away it is STOPPING, and ends when that returns')
    .argument('<session>', 'id')
    .option('--close-positions', 'and close what is open')
    .action((id: string, options: { closePositions?: boolean }, command: Command) =>
      change(cli, command, ({ sessions }) =>
        sessions.stopSession({ id, closePositions: options.closePositions === true }),
      ),
    );
  parent
    .command('pause')
    .description('hold new entries back; exits go on')
    .argument('<session>', 'id')
    .action((id: string, _: unknown, command: Command) =>
      change(cli, command, ({ sessions }) => sessions.pauseSession({ id })),
    );
  parent
    .command('resume')
    .description('allow new entries again')
    .argument('<session>', 'id')
    .action((id: string, _: unknown, command: Command) =>
      change(cli, command, ({ sessions }) => sessions.resumeSession({ id })),
    );
}

function registerStrategies(parent: Command, cli: Cli): void {
  parent
    .command('activate')
    .description('add a strategy to a running session')
    .argument('<session>', 'id')
    .requiredOption('--strategy <strategy>', 'name or id')
    .option('--symbol <symbol>', 'at least one', collect, [])
    .option('--revision <n>', 'another than the newest')
    .option('--allow-partial', 'go on with the symbols that can be activated')
    .option('--wait <duration>', 'for the activations, at most 60s', '20s')
    .option('--request-id <id>', 'the same id and body give the same activations, however often it is sent')
    .action(
      (
        id: string,
        options: SymbolOptions & { revision?: string; allowPartial?: boolean; wait: string; requestId?: string },
        command: Command,
      ) => {
        if (options.symbol.length === 0) throw usageError('write at least one --symbol; there is no default');
        const waitMs = parseDurationMs(options.wait);
        const request = {
          id,
          selection: {
            strategy: options.strategy,
            symbols: [...options.symbol],
            revision: parseRevision(options.revision),
          },
          allowPartial: options.allowPartial === true,
          wait: durationFromMs(waitMs),
          // Made here when none is given, so that repeating a call that may have arrived does no harm.
          requestId: options.requestId ?? uuid(),
        };
        return change(cli, command, ({ sessions }) =>
          sessions.activateStrategy(request, { timeoutMs: waitMs + GRACE_MS }),
        );
      },
    );
  parent
    .command('deactivate')
    .description('take a strategy out of a session; without --close-positions it exits first by its own rules')
    .argument('<session>', 'id')
    .requiredOption('--strategy <strategy>', 'name or id')
    .option('--symbol <symbol>', 'this one alone; may be given several times', collect, [])
    .option('--close-positions', 'close its positions now')
    .action((id: string, options: SymbolOptions & { closePositions?: boolean }, command: Command) => {
      const { strategy, symbol, closePositions } = options;
      const request = { id, strategy, symbols: [...symbol], closePositions: closePositions === true };
      return change(cli, command, ({ sessions }) => sessions.deactivateStrategy(request));
    });
}

async function change(
  cli: Cli,
  command: Command,
  call: (session: Session) => Promise<{ readonly session?: TradingSession | undefined }>,
): Promise<void> {
  await cli.withClients(command, async (clients) => {
    const { session } = await repeatWhileUnavailable(() => call(clients));
    if (session === undefined) throw new CliError(EXIT.failed, 'the platform answered without a session');
    clients.out.document(protoJson(SessionSchema, session));
    showSession(clients.out, session);
  });
}

function parseRevision(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  if (!/^\d{1,15}$/.test(text)) throw usageError(`--revision must be a number, not "${text}"`);
  return BigInt(text);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
