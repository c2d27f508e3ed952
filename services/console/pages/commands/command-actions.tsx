import { useMutation } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { CommandService } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Command, CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { navigate } from '../../address/address.ts';
import { kindOf } from '../../parts/command-kind.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Cancels at once what was not sent; asks the agent otherwise, and says which it was. */
export function CancelCommand({ command }: { readonly command: Command }) {
  const queries = useQueryClient();
  const cancel = useMutation(CommandService.method.cancelCommand, { onSettled: () => queries.invalidateQueries() });
  return (
    <>
      <button
        type="button"
        className="button danger"
        disabled={cancel.isPending}
        onClick={() => cancel.mutate({ id: command.id })}
      >
        Cancel
      </button>
      {cancel.data !== undefined && (
        <p role="status" className="quiet">
          {cancel.data.cancelled ? 'Cancelled.' : 'The agent has been asked; the command ends by what it answers.'}
        </p>
      )}
      <Problem
        error={cancel.error}
        what="Not cancelled"
        unconfirmed="No answer says whether it was cancelled. Press again: that does no harm"
      />
    </>
  );
}

/** Issues the same again and opens the new command. Pressed twice, it is one command. What may have been done is asked about first. */
export function RetryCommand({ command }: { readonly command: Command }) {
  const [asking, setAsking] = useState(false);
  const requestId = useRef(crypto.randomUUID());
  const retry = useMutation(CommandService.method.retryCommand, {
    onSuccess: ({ command: issued }) => {
      if (issued !== undefined) navigate(`/commands/${issued.id}`);
    },
  });
  const unknown = command.state === CommandState.OUTCOME_UNKNOWN;
  const repeat = (): void => retry.mutate({ id: command.id, requestId: requestId.current });
  const problem = (
    <Problem
      error={retry.error}
      what="Not repeated"
      unconfirmed="No answer says whether it was repeated. Press again until one does: it stays one command"
    />
  );
  return (
    <>
      <button
        type="button"
        className={unknown ? 'button' : 'button primary'}
        disabled={retry.isPending}
        onClick={unknown ? () => setAsking(true) : repeat}
      >
        {unknown ? 'Retry …' : 'Retry'}
      </button>
      {!asking && problem}
      {asking && (
        <Dialog title="Repeat what may have been done?" onClose={() => setAsking(false)}>
          <div className="stack">
            <p>
              Nobody knows what became of this {kindOf(command)}. If the venue has done it, it will be done a second
              time. Look at the venue and settle it first; one that did not happen can be repeated then.
            </p>
            {problem}
            <div className="actions">
              <button type="button" className="button danger" disabled={retry.isPending} onClick={repeat}>
                Repeat all the same
              </button>
              <button type="button" className="button" onClick={() => setAsking(false)}>
                Leave
              </button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}
