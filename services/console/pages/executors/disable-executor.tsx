import { useMutation } from '@connectrpc/connect-query';
import { type Executor, ExecutorService } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Asks before an executor is disabled, because it cannot be enabled again. */
export function DisableExecutor({ executor, onClose }: { readonly executor: Executor; readonly onClose: () => void }) {
  const disable = useMutation(ExecutorService.method.disableExecutor, { onSuccess: onClose });
  return (
    <Dialog title={`Disable ${executor.name}?`} onClose={onClose}>
      <div className="stack">
        <p>
          Its stream is closed within a second, new commands and streams are refused, and it cannot be enabled again.
          The {executor.inFlight + executor.queued} commands already accepted keep their deadlines. Open positions are
          not closed: use the kill switch before, if they should be.
        </p>
        <Problem error={disable.error} what="Not disabled" />
        <div className="actions">
          <button
            type="button"
            className="button danger"
            disabled={disable.isPending}
            onClick={() => disable.mutate({ executor: executor.id })}
          >
            Disable {executor.name}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave
          </button>
        </div>
      </div>
    </Dialog>
  );
}
