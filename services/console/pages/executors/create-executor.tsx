import { useMutation } from '@connectrpc/connect-query';
import type { SyntheticEvent } from 'react';
import { ExecutorService } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { CredentialsOnce } from './credentials.tsx';

/** Registers an executor and shows its first credential. */
export function CreateExecutor({ onClose }: { readonly onClose: () => void }) {
  const make = useMutation(ExecutorService.method.createExecutor);
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    make.mutate({ name: textOf(fields, 'name'), labels: labelsOf(textOf(fields, 'labels')) });
  };
  const credentials = make.data?.credentials;
  return (
    <Dialog
      title={credentials === undefined ? 'Create executor' : `Credentials of ${credentials.executorName}`}
      onClose={onClose}
    >
      {credentials === undefined ? (
        <form className="form" onSubmit={submit}>
          <div className="field">
            <label htmlFor="executor-name">Name</label>
            <input id="executor-name" name="name" required maxLength={63} pattern="[a-z0-9._\-]+" autoFocus />
            <span className="help">1 to 63 of a–z, 0–9, '-', '_', '.'; unique in the account.</span>
          </div>
          <div className="field">
            <label htmlFor="executor-labels">Labels</label>
            <input id="executor-labels" name="labels" placeholder="kind=paper, region=fra" />
            <span className="help">For choosing executors, as key=value, separated by commas.</span>
          </div>
          <Problem error={make.error} what="Not created" />
          <div className="actions">
            <button type="submit" className="button primary" disabled={make.isPending}>
              Create
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

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...value] = pair.split('=');
      return [key.trim(), value.join('=').trim()];
    }),
  );
}
