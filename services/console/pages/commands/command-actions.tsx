import { useMutation } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { CommandService } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { navigate } from '../../address/address.ts';
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
      <Problem error={cancel.error} what="Not cancelled" />
    </>
  );
}

/** Issues the same again and opens the new command. Pressed twice, it is one command. */
export function RetryCommand({ command }: { readonly command: Command }) {
  const requestId = useRef(crypto.randomUUID());
  const retry = useMutation(CommandService.method.retryCommand, {
    onSuccess: ({ command: issued }) => {
      if (issued !== undefined) navigate(`/commands/${issued.id}`);
    },
  });
  return (
    <>
      <button
        type="button"
        className="button primary"
        disabled={retry.isPending}
        onClick={() => retry.mutate({ id: command.id, requestId: requestId.current })}
      >
        Retry
      </button>
      <Problem error={retry.error} what="Not repeated" />
    </>
  );
}
