import { setTimeout as pause } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from 'commander';
import {
  type WatchCommandsResponse,
  WatchCommandsResponseSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Cli, Session } from '../cli.ts';
import { failureOf, usageError } from '../terminal/errors.ts';
import type { Output } from '../terminal/output.ts';
import { protoJson } from '../terminal/output.ts';
import { whileHeard } from '../terminal/silence.ts';
import { commandFilter, type FilterOptions, withFilterOptions } from './list.ts';
import { kindOf, transitionText } from './view.ts';

interface WatchOptions extends FilterOptions {
  readonly cursor?: string;
  readonly fromStart?: boolean;
}

const RESUME_BACKOFF = { firstMs: 200, maxMs: 5_000 };

const NOTES = `
Ends with Ctrl-C and prints the last cursor; with --cursor it carries on exactly there. An interrupted watch resumes by
itself. With --json each line is one WatchCommandsResponse; one without a commandId is a checkpoint: only its cursor counts.`;

/** `command watch`. */
export function registerWatch(parent: Command, cli: Cli): void {
  withFilterOptions(parent.command('watch'))
    .description('print every step of commands as it happens')
    .option('--cursor <cursor>', 'carry on after this one')
    .option('--from-start', 'begin with the oldest history that is kept')
    .addHelpText('after', NOTES)
    .action((options: WatchOptions, command: Command) => {
      if (options.cursor !== undefined && options.fromStart === true) {
        throw usageError('--cursor and --from-start contradict each other; give one of them');
      }
      return cli.withClients(command, (session) => watch(session, options));
    });
}

async function watch(session: Session, options: WatchOptions): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let cursor = options.cursor ?? '';
  const filter = commandFilter(options);
  for (let failures = 0; !interrupted.signal.aborted; ) {
    try {
      const request = { filter, cursor, fromStart: cursor === '' && options.fromStart === true };
      const events = whileHeard(
        (signal) => session.commands.watchCommands(request, { signal, timeoutMs: 0 }),
        interrupted.signal,
      );
      for await (const event of events) {
        failures = 0;
        cursor = event.cursor;
        show(session.out, event);
      }
    } catch (thrown) {
      if (interrupted.signal.aborted) break;
      if (!mayResume(thrown, cursor)) throw thrown;
      session.out.note(`interrupted (${failureOf(thrown, session.url).message}), resuming`);
    }
    failures++;
    await pauseUnless(interrupted.signal, backoffMs(failures, RESUME_BACKOFF));
  }
  if (cursor !== '' && !session.out.json) session.out.note(`last cursor: ${cursor}`);
}

/** Without a cursor a resumed watch would leave a gap that nobody sees, so only a first connection may be tried again. */
function mayResume(thrown: unknown, cursor: string): boolean {
  const { code } = ConnectError.from(thrown);
  if (code === Code.ResourceExhausted || code === Code.Unavailable) return cursor !== '';
  return false;
}

function show(out: Output, event: WatchCommandsResponse): void {
  out.jsonLine(protoJson(WatchCommandsResponseSchema, event));
  if (event.command === undefined) return;
  for (const step of event.transitions) {
    out.say(`${event.commandId}  ${event.command.executorName}  ${kindOf(event.command)}  ${transitionText(step)}`);
  }
}

async function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return;
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([pause(ms), aborted]);
}
