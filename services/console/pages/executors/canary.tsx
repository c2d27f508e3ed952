import { create } from '@bufbuild/protobuf';
import { useMutation, useQuery } from '@connectrpc/connect-query';
import { skipToken } from '@tanstack/react-query';
import { useState } from 'react';
import { PingSchema } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { CommandService } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Executor, ExecutorState } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Role, useMay } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { CommandMark, isTerminal } from '../../parts/command-state.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Hops } from '../../parts/hops.tsx';
import { Problem } from '../../parts/problem.tsx';

const LOOK_MS = 250;

/** Sends a ping the whole way to the adapter and back, and shows what each hop took. */
export function Canary({ executor }: { readonly executor: Executor }) {
  const [open, setOpen] = useState(false);
  const may = useMay(Role.OPERATOR);
  if (!may || executor.state === ExecutorState.DISABLED) return <span className="quiet">–</span>;
  return (
    <>
      <button type="button" className="button small" onClick={() => setOpen(true)} aria-label={`Ping ${executor.name}`}>
        Ping
      </button>
      {open && <CanaryRun executor={executor} onClose={() => setOpen(false)} />}
    </>
  );
}

function CanaryRun({ executor, onClose }: { readonly executor: Executor; readonly onClose: () => void }) {
  const issue = useMutation(CommandService.method.issueCommand);
  const id = issue.data?.command?.id;
  const explained = useQuery(CommandService.method.explainCommand, id === undefined ? skipToken : { id }, {
    refetchInterval: ({ state: { data } }) =>
      data?.command !== undefined && isTerminal(data.command.state) ? false : LOOK_MS,
  });
  const command = explained.data?.command;
  const send = (): void =>
    issue.mutate({
      executor: executor.id,
      requestId: crypto.randomUUID(),
      kind: { case: 'ping', value: create(PingSchema, { payload: 'canary' }) },
    });
  return (
    <Dialog title={`Canary to ${executor.name}`} onClose={onClose} wide>
      <div className="stack">
        <p>
          A ping takes the way of every command: stored, written to the stream, journalled, run by the adapter,
          answered. It changes nothing.
        </p>
        <div className="row">
          <button type="button" className="button primary" onClick={send} disabled={issue.isPending}>
            {command === undefined ? 'Send the ping' : 'Send another'}
          </button>
          {command !== undefined && (
            <>
              <CommandMark state={command.state} />
              <Link href={`/commands/${command.id}`}>Open the command</Link>
            </>
          )}
        </div>
        <Problem error={issue.error} what="The ping was not accepted" />
        <div aria-live="polite">
          {command !== undefined && (
            <>
              <Hops command={command} />
              <p className="sentence">{explained.data?.sentence}</p>
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}
