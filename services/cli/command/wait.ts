import { setTimeout as pause } from 'node:timers/promises';
import { ConnectError } from '@connectrpc/connect';
import { type Command, CommandSchema, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { Session } from '../cli.ts';
import { CliError, EXIT, isUnavailable } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { errorSentence, isTerminal, showCommand } from './view.ts';

/** Between two looks, should the watch miss something or not be there. */
const LOOK_INTERVAL_MS = 500;

/**
 * Shows a command that was just issued, or with `waitMs` its end.
 * @throws CliError: exit 1 when it did not succeed, 4 when it is not over in time, with the sentence that says why.
 */
export async function finishOrShow(session: Session, issued: Command | undefined, waitMs?: number): Promise<void> {
  if (issued === undefined) throw new CliError(EXIT.failed, 'the platform answered without a command');
  const command = waitMs === undefined || isTerminal(issued.state) ? issued : await lastState(session, issued, waitMs);
  session.out.document(protoJson(CommandSchema, command));
  showCommand(session.out, command);
  if (waitMs === undefined || command.state === CommandState.SUCCEEDED) return;
  const state = CommandState[command.state] ?? String(command.state);
  if (isTerminal(command.state)) {
    throw new CliError(
      EXIT.failed,
      `command ${command.id} ended ${state}: ${errorSentence(command) ?? 'no reason given'}`,
    );
  }
  const explained = await session.commands.explainCommand({ id: command.id });
  throw new CliError(EXIT.waitOver, `not over yet (${state}): ${explained.sentence}`);
}

/** The command when it is terminal, or as it is when the time is over. */
export async function lastState(
  session: Pick<Session, 'commands' | 'out'>,
  issued: Command,
  waitMs: number,
): Promise<Command> {
  const endMs = performance.now() + waitMs;
  const over = new AbortController();
  const news = new News();
  const watching = watch(session, issued, over.signal, news);
  let command = issued;
  try {
    for (;;) {
      command = (await look(session, issued.id)) ?? command;
      const leftMs = endMs - performance.now();
      if (isTerminal(command.state) || leftMs <= 0) return command;
      await Promise.race([news.next(), pause(Math.min(leftMs, LOOK_INTERVAL_MS))]);
    }
  } finally {
    over.abort();
    await watching;
  }
}

/** Undefined while the platform cannot be reached: it may come back within the wait. */
async function look(session: Pick<Session, 'commands'>, id: string): Promise<Command | undefined> {
  try {
    return (await session.commands.getCommand({ id })).command;
  } catch (thrown) {
    if (isUnavailable(thrown)) return undefined;
    throw thrown;
  }
}

/** Rings whenever something happened to the command. When the watch fails, looking at intervals has to do. */
async function watch(
  session: Pick<Session, 'commands' | 'out'>,
  command: Command,
  signal: AbortSignal,
  news: News,
): Promise<void> {
  try {
    const filter = { executor: command.executorId };
    for await (const event of session.commands.watchCommands({ filter }, { signal, timeoutMs: 0 })) {
      if (event.commandId === command.id) news.ring();
    }
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    if (!signal.aborted) session.out.note(`watching stopped, looking every ${LOOK_INTERVAL_MS} ms instead`);
  }
}

/** A bell that is not missed when it rings before somebody listens. */
class News {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  async next(): Promise<void> {
    await this.#rung.promise;
    this.#rung = Promise.withResolvers<void>();
  }
}
