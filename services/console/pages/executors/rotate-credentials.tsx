import { useMutation } from '@connectrpc/connect-query';
import type { SyntheticEvent } from 'react';
import { type Executor, ExecutorService } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { CredentialsOnce } from './credentials.tsx';

/** Makes a new credential; the ones before it live on for the overlap. */
export function RotateCredentials({
  executor,
  onClose,
}: {
  readonly executor: Executor;
  readonly onClose: () => void;
}) {
  const rotate = useMutation(ExecutorService.method.rotateCredentials);
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const seconds = Number(new FormData(event.currentTarget).get('overlap'));
    rotate.mutate({ executor: executor.id, overlap: { seconds: BigInt(seconds) } });
  };
  const credentials = rotate.data?.credentials;
  return (
    <Dialog title={`Rotate credentials of ${executor.name}`} onClose={onClose}>
      {credentials === undefined ? (
        <form className="form" onSubmit={submit}>
          <div className="field">
            <label htmlFor="overlap">The old credentials stay valid for</label>
            <select id="overlap" name="overlap" defaultValue="3600">
              <option value="0">no longer: they end now</option>
              <option value="600">10 minutes</option>
              <option value="3600">1 hour</option>
              <option value="86400">1 day</option>
              <option value="604800">7 days</option>
            </select>
            <span className="help">Then streams that were opened with them are closed.</span>
          </div>
          <Problem error={rotate.error} what="Not rotated" />
          <div className="actions">
            <button type="submit" className="button primary" disabled={rotate.isPending}>
              Rotate
            </button>
            <button type="button" className="button" onClick={onClose}>
              Leave
            </button>
          </div>
        </form>
      ) : (
        <CredentialsOnce credentials={credentials} />
      )}
    </Dialog>
  );
}
