import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { HaltSchema, HaltScope } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { Cli } from '../cli.ts';
import { parseDurationMs } from '../terminal/duration.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { showHalt } from './view.ts';

const GRACE_MS = 10_000;

const NOTES = `
It is durable when this returns: an executor that is away stops before anything else when it returns.
Exit codes: 0 done, 1 when an executor will never acknowledge, 4 when --wait ran out before every one had.`;

interface StopAllOptions {
  readonly executor?: string;
  readonly session?: string;
  readonly keepPositions?: boolean;
  readonly wait?: string;
}

/** `session stop-all`: the kill switch. */
export function registerStopAll(parent: Command, cli: Cli): void {
  parent
    .command('stop-all')
    .description('the kill switch: stop everything of the account, of one executor or one session, and close positions')
    .option('--executor <executor>', 'this executor alone; name or id')
    .option('--session <session>', 'this session alone; id')
    .option('--keep-positions', 'leave positions open')
    .option('--wait <duration>', 'for acknowledgements, at most 30s')
    .addHelpText('after', NOTES)
    .action((options: StopAllOptions, command: Command) => {
      const waitMs = options.wait === undefined ? 0 : parseDurationMs(options.wait);
      const request = {
        ...scopeOf(options),
        closePositions: options.keepPositions !== true,
        // Repeating a call that may have arrived does no harm.
        requestId: uuid(),
        wait: durationFromMs(waitMs),
      };
      return cli.withClients(command, async ({ sessions, out }) => {
        const call = { timeoutMs: waitMs + GRACE_MS };
        const { halt } = await repeatWhileUnavailable(() => sessions.stopAll(request, call));
        if (halt === undefined) throw new CliError(EXIT.failed, 'the platform answered without a halt');
        out.document(protoJson(HaltSchema, halt));
        showHalt(out, halt);
        if (options.wait === undefined || halt.complete) return;
        const open = halt.acknowledgements.filter(({ flat }) => !flat).map(({ executorName }) => executorName);
        if (halt.over)
          throw new CliError(EXIT.failed, `never to be acknowledged by ${open.join(', ')}; see the note above`);
        throw new CliError(EXIT.waitOver, `not acknowledged yet by ${open.join(', ')}`);
      });
    });
}

/** `session halt`: who has confirmed a kill switch. */
export function registerHalt(parent: Command, cli: Cli): void {
  parent
    .command('halt')
    .description('a use of the kill switch: who has confirmed it, who is awaited, and who never will')
    .argument('[halt]', 'id; without it the newest that waits for somebody, or the newest')
    .action((id: string | undefined, _: unknown, command: Command) =>
      cli.withClients(command, async ({ sessions, out }) => {
        const { halt } = await repeatWhileUnavailable(() => sessions.getHalt({ id: id ?? '' }));
        if (halt === undefined) throw new CliError(EXIT.failed, 'the platform answered without a halt');
        out.document(protoJson(HaltSchema, halt));
        showHalt(out, halt);
      }),
    );
}

function scopeOf({ executor, session }: StopAllOptions): { readonly scope: HaltScope; readonly target: string } {
  if (executor !== undefined && session !== undefined) {
    throw usageError('--executor and --session contradict each other; give one of them, or none for the whole account');
  }
  if (executor !== undefined) return { scope: HaltScope.EXECUTOR, target: executor };
  if (session !== undefined) return { scope: HaltScope.SESSION, target: session };
  return { scope: HaltScope.ACCOUNT, target: '' };
}
