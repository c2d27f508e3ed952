import { setTimeout as pause } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Command } from 'commander';
import { PositionState, SessionState, SignalState } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import {
  type WatchSessionResponse,
  WatchSessionResponseSchema,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { backoffMs } from '../../platform/backoff.ts';
import type { Cli, Session } from '../cli.ts';
import { failureOf } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { whileHeard } from '../terminal/silence.ts';
import { valueName } from '../terminal/value-name.ts';
import { marketTime } from './view.ts';

const RESUME_BACKOFF = { firstMs: 200, maxMs: 5_000 };

const NOTES = `
Begins with everything as it is, or with --cursor where an earlier watch ended; ends with Ctrl-C and prints the last cursor.
An interrupted watch resumes by itself. With --json each line is one WatchSessionResponse; one without a change is a checkpoint.`;

/** `session watch`. */
export function registerWatch(parent: Command, cli: Cli): void {
  parent
    .command('watch')
    .description('print what happens in a session as it happens: its state, signals, positions')
    .argument('<session>', 'id')
    .option('--cursor <cursor>', 'carry on after this one')
    .addHelpText('after', NOTES)
    .action((id: string, options: { cursor?: string }, command: Command) =>
      cli.withClients(command, (session) => watch(session, id, options.cursor ?? '')),
    );
}

async function watch(session: Session, id: string, from: string): Promise<void> {
  const interrupted = new AbortController();
  const { signal } = interrupted;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  let cursor = from;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const request = { id, cursor };
      for await (const event of whileHeard(
        (heard) => session.sessions.watchSession(request, { signal: heard, timeoutMs: 0 }),
        signal,
      )) {
        failures = 0;
        cursor = event.cursor;
        show(session, event);
      }
    } catch (thrown) {
      if (signal.aborted) break;
      const { code } = ConnectError.from(thrown);
      if (code !== Code.ResourceExhausted && code !== Code.Unavailable) throw thrown;
      session.out.note(`interrupted (${failureOf(thrown, session.url).message}), resuming`);
    }
    await pause(backoffMs(failures + 1, RESUME_BACKOFF), undefined, { signal }).catch(() => undefined);
  }
  if (cursor !== '' && !session.out.json) session.out.note(`last cursor: ${cursor}`);
}

function show({ out }: Session, event: WatchSessionResponse): void {
  out.jsonLine(protoJson(WatchSessionResponseSchema, event));
  const { change } = event;
  switch (change.case) {
    case 'session': {
      const { state, reason, equity } = change.value;
      out.say(`session   ${valueName(SessionState, state)}  equity ${equity}${reason === '' ? '' : `  ${reason}`}`);
      return;
    }
    case 'signal': {
      const { strategyName, symbol, state, price, reason, time } = change.value;
      out.say(
        `signal    ${marketTime(time)}  ${strategyName} on ${symbol}  ${valueName(SignalState, state)} at ${price}  ${reason}`,
      );
      return;
    }
    case 'position': {
      const { strategyName, symbol, state, quantity, entryPrice, exitPrice, exitReason, pnl, entryTime } = change.value;
      const end = exitPrice === '' ? '' : `  ${exitOf(exitReason)} at ${exitPrice}, pnl ${pnl}`;
      const opened = `${marketTime(entryTime)}  ${strategyName} on ${symbol}`;
      out.say(`position  ${opened}  ${valueName(PositionState, state)} ${quantity} at ${entryPrice}${end}`);
      return;
    }
    case undefined:
      return;
    default:
      change satisfies never;
  }
}

/** Of one that is still open a part is out, and nobody need be asking for the rest at this moment. */
function exitOf(reason: string): string {
  return reason === '' ? 'a part out' : `out by ${reason}`;
}
