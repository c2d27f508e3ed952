import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { PositionSchema, SessionSchema, SignalSchema } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { Cli, Session } from '../cli.ts';
import { parseLimit } from '../command/list.ts';
import { CliError, EXIT } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { pages } from '../terminal/pages.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import {
  POSITION_COLUMNS,
  parseSessionStates,
  positionRow,
  SESSION_COLUMNS,
  SIGNAL_COLUMNS,
  sessionRow,
  showSession,
  signalRow,
} from './view.ts';

const LIMIT_DEFAULT = '50';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/** `session get`, `list`, `signals`, `positions`. */
export function registerLooks(parent: Command, cli: Cli): void {
  parent
    .command('get')
    .description('a session as it is now')
    .argument('<session>', 'id')
    .action((id: string, _: unknown, command: Command) =>
      cli.withClients(command, async ({ sessions, out }) => {
        const { session } = await repeatWhileUnavailable(() => sessions.getSession({ id }));
        if (session === undefined) throw new CliError(EXIT.failed, 'the platform answered without a session');
        out.document(protoJson(SessionSchema, session));
        showSession(out, session);
      }),
    );
  parent
    .command('list')
    .description('list sessions, newest first')
    .option('--state <states...>', 'starting, active, paused, stopping, stopped, failed, completed')
    .option('--executor <executor>', 'name or id')
    .option('--limit <n>', 'how many at most', LIMIT_DEFAULT)
    .action((options: { state?: readonly string[]; executor?: string; limit: string }, command: Command) => {
      const states = parseSessionStates(options.state ?? []);
      const executor = options.executor ?? '';
      return list(
        cli,
        command,
        options.limit,
        SessionSchema,
        [SESSION_COLUMNS, sessionRow, 'no sessions'],
        (clients) => async (pageSize, pageToken) => {
          const page = await clients.sessions.listSessions({ states, executor, pageSize, pageToken });
          return { items: page.sessions, nextPageToken: page.nextPageToken };
        },
      );
    });
  parent
    .command('signals')
    .description('list signals and what came of them, newest first')
    .argument('[session]', 'id; all sessions without it')
    .option('--limit <n>', 'how many at most', LIMIT_DEFAULT)
    .action((sessionId: string | undefined, options: { limit: string }, command: Command) =>
      list(
        cli,
        command,
        options.limit,
        SignalSchema,
        [SIGNAL_COLUMNS, signalRow, 'no signals'],
        (clients) => async (pageSize, pageToken) => {
          const page = await clients.sessions.listSignals({ sessionId: sessionId ?? '', pageSize, pageToken });
          return { items: page.signals, nextPageToken: page.nextPageToken };
        },
      ),
    );
  parent
    .command('positions')
    .description('list positions, open ones first')
    .argument('[session]', 'id; all sessions without it')
    .option('--open', 'open ones alone')
    .option('--limit <n>', 'how many at most', LIMIT_DEFAULT)
    .action((sessionId: string | undefined, options: { limit: string; open?: boolean }, command: Command) => {
      const filter = { sessionId: sessionId ?? '', openOnly: options.open === true };
      return list(
        cli,
        command,
        options.limit,
        PositionSchema,
        [POSITION_COLUMNS, positionRow, 'no positions'],
        (clients) => async (pageSize, pageToken) => {
          const page = await clients.sessions.listPositions({ ...filter, pageSize, pageToken });
          return { items: page.positions, nextPageToken: page.nextPageToken };
        },
      );
    });
}

async function list<D extends DescMessage>(
  cli: Cli,
  command: Command,
  limit: string,
  schema: D,
  [columns, row, whenEmpty]: [readonly string[], (item: MessageShape<D>) => string[], string],
  fetch: (session: Session) => (pageSize: number, pageToken: string) => Promise<Page<MessageShape<D>>>,
): Promise<void> {
  const max = parseLimit(limit);
  await cli.withClients(command, async (session) => {
    const rows: string[][] = [];
    for await (const item of pages(max, fetch(session))) {
      session.out.jsonLine(protoJson(schema, item));
      rows.push(row(item));
    }
    session.out.table(columns, rows, whenEmpty);
  });
}
