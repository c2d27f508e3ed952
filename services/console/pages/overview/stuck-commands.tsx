import { useQuery } from '@connectrpc/connect-query';
import { CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandService } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Link } from '../../address/link.tsx';
import { kindOf } from '../../parts/command-kind.ts';
import { CommandMark } from '../../parts/command-state.tsx';
import { Ago } from '../../parts/moment.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { msOf, useNow } from '../../parts/time.ts';

const LOOK_MS = 3_000;
/** A command that has not ended after this is worth a look. */
const STUCK_MS = 5_000;
const SHOWN_MAX = 6;
const OPEN = [CommandState.PENDING, CommandState.SENT, CommandState.RECEIVED, CommandState.RUNNING];

/** What has not moved on, oldest first, each with the hop that holds it. */
export function StuckCommands() {
  const now = useNow();
  const open = useQuery(
    CommandService.method.listCommands,
    { filter: { states: OPEN }, pageSize: 1_000 },
    { refetchInterval: LOOK_MS },
  );
  const stuck = (open.data?.commands ?? [])
    .filter((command) => now - (msOf(command.createTime) ?? now) > STUCK_MS)
    .toReversed();
  const more = (open.data?.nextPageToken ?? '') !== '';
  return (
    <Panel
      title={stuck.length === 0 ? 'Stuck' : `Stuck (${stuck.length}${more ? ' or more' : ''})`}
      className="two-thirds"
      actions={
        stuck.length > SHOWN_MAX ? (
          <Link href="/commands?state=PENDING,SENT,RECEIVED,RUNNING">All of them</Link>
        ) : undefined
      }
    >
      <Problem error={open.error} what="It cannot be read what waits" />
      {open.data === undefined ? (
        open.error === null && <Nothing>Loading …</Nothing>
      ) : stuck.length === 0 ? (
        <Nothing>
          {more
            ? `Of the newest ${open.data.commands.length} that are open, none waits for longer than ${STUCK_MS / 1_000} s; there are more.`
            : `Nothing waits for longer than ${STUCK_MS / 1_000} s.`}
        </Nothing>
      ) : (
        <ul className="plain-list">
          {more && (
            <li className="quiet">
              So many are open that only the newest {open.data.commands.length} were looked at: others wait for longer.
            </li>
          )}
          {stuck.slice(0, SHOWN_MAX).map((command) => (
            <li key={command.id}>
              <Explained command={command} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Explained({ command }: { readonly command: Command }) {
  const { data } = useQuery(CommandService.method.explainCommand, { id: command.id }, { refetchInterval: LOOK_MS });
  return (
    <>
      <p className="row">
        <CommandMark state={data?.command?.state ?? command.state} />
        <Link href={`/commands/${command.id}`}>
          {kindOf(command)} to {command.executorName}
        </Link>
        <span className="quiet">
          <Ago time={command.createTime} />
        </span>
      </p>
      <p className="quiet">{data?.sentence}</p>
    </>
  );
}
