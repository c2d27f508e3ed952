import { setTimeout as pause } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from 'commander';
import {
  type WatchTransitionsResponse,
  WatchTransitionsResponseSchema,
} from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Cli, Session } from '../cli.ts';
import { failureOf, usageError } from '../terminal/errors.ts';
import { type Output, protoJson } from '../terminal/output.ts';
import { whileHeard } from '../terminal/silence.ts';
import { evaluationText } from './view.ts';

interface WatchOptions {
  readonly session?: string;
  readonly cursor?: string;
  readonly fromStart?: boolean;
}

const RESUME_BACKOFF = { firstMs: 200, maxMs: 5_000 };

const NOTES = `
Ends with Ctrl-C and prints the last cursor; with --cursor it carries on exactly there. An interrupted watch resumes by
itself. With --json each line is one WatchTransitionsResponse; one without an evaluation is a checkpoint.`;

/** `instance watch`. */
export function registerInstanceWatch(parent: Command, cli: Cli): void {
  parent
    .command('watch')
    .description('print every transition, and every decision that was held back, as it happens')
    .argument('[instance]', 'id; without it, all of the account or session')
    .option('--session <id>', 'instances of this session alone')
    .option('--cursor <cursor>', 'carry on after this one')
    .option('--from-start', 'begin with the oldest that is kept')
    .addHelpText('after', NOTES)
    .action((instance: string | undefined, options: WatchOptions, command: Command) => {
      if (options.cursor !== undefined && options.fromStart === true) {
        throw usageError('--cursor and --from-start contradict each other; give one of them');
      }
      return cli.withClients(command, (session) => watch(session, instance ?? '', options));
    });
}

async function watch(session: Session, instanceId: string, options: WatchOptions): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let cursor = options.cursor ?? '';
  let found = false;
  for (let failures = 0; !interrupted.signal.aborted; ) {
    try {
      if (!found) await find(session, instanceId, options.session ?? '');
      found = true;
      const fromStart = cursor === '' && options.fromStart === true;
      const request = { instanceId, sessionId: options.session ?? '', cursor, fromStart };
      const responses = whileHeard(
        (signal) => session.instances.watchTransitions(request, { signal, timeoutMs: 0 }),
        interrupted.signal,
      );
      for await (const response of responses) {
        failures = 0;
        cursor = response.cursor;
        show(session.out, response);
      }
    } catch (thrown) {
      if (interrupted.signal.aborted) break;
      // Without a cursor a resumed watch would leave a gap that nobody sees.
      const { code } = ConnectError.from(thrown);
      const passing = code === Code.ResourceExhausted || code === Code.Unavailable;
      if (!passing || cursor === '') throw thrown;
      session.out.note(`interrupted (${failureOf(thrown, session.url).message}), resuming`);
    }
    failures++;
    await pauseUnless(interrupted.signal, backoffMs(failures, RESUME_BACKOFF));
  }
  if (cursor !== '' && !session.out.json) session.out.note(`last cursor: ${cursor}`);
}

/** A watch of what does not exist would look like one of something on which nothing happens. @throws ConnectError NOT_FOUND. */
async function find({ instances, sessions }: Session, instanceId: string, sessionId: string): Promise<void> {
  if (instanceId !== '') await instances.explainInstance({ instanceId });
  if (sessionId !== '') await sessions.getSession({ id: sessionId });
}

function show(out: Output, response: WatchTransitionsResponse): void {
  out.jsonLine(protoJson(WatchTransitionsResponseSchema, response));
  const { evaluation } = response;
  if (evaluation === undefined) return;
  out.say(`${evaluation.strategyName}  ${evaluation.symbol}  ${evaluationText(evaluation)}`);
}

async function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return;
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([pause(ms), aborted]);
}
