import { Code } from '@connectrpc/connect';
import { useMutation } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import type { Strategy } from '../../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { navigate } from '../../address/address.ts';
import { Problem } from '../../parts/problem.tsx';
import { textOf } from './draft.ts';
import { useRequestId } from '../../stream/use-request-id.ts';
import { forgetUnsaved, NEW_STRATEGY } from './unsaved.ts';
import type { Editing } from './use-editing.ts';

/** Stores the draft as the next revision; refused when somebody else has stored one meanwhile. */
export function SaveStrategy({
  strategy,
  editing,
}: {
  readonly strategy: Strategy | undefined;
  readonly editing: Editing;
}) {
  const queries = useQueryClient();
  const create = useMutation(StrategyService.method.createStrategy, {
    onSuccess: ({ strategy: made }) => {
      forgetUnsaved(NEW_STRATEGY);
      if (made !== undefined) navigate(`/strategies/${made.id}`, { replace: true });
    },
  });
  const update = useMutation(StrategyService.method.updateStrategy, { onSuccess: () => queries.invalidateQueries() });
  const requestIdOf = useRequestId();
  const source = { case: 'json', value: textOf(editing.draft) } as const;
  const save = (): void => {
    if (strategy === undefined) {
      create.mutate({ source, requestId: requestIdOf(source.value, create) });
      return;
    }
    const { id } = strategy;
    const { revision } = editing;
    const requestId = requestIdOf(JSON.stringify([id, String(revision), source.value]), update);
    update.mutate({ strategy: id, revision, source, requestId });
  };
  const error = create.error ?? update.error;
  return (
    <div>
      <button
        type="button"
        className="button primary"
        disabled={
          create.isPending ||
          update.isPending ||
          !editing.changed ||
          editing.unread !== undefined ||
          editing.verdict?.valid !== true
        }
        onClick={save}
      >
        {strategy === undefined ? 'Create' : 'Save as the next revision'}
      </button>
      <Problem
        error={error}
        what={
          error?.code === Code.Aborted
            ? 'A newer revision is stored, by somebody else or by an earlier press that got no answer. Keep your draft with "Save as file" under JSON, load the page again, and repeat what is missing'
            : 'Not saved'
        }
        unconfirmed="No answer says whether it was saved. Press again until one does: it is saved once"
      />
      {editing.unread !== undefined && (
        <p className="fault">What is typed under JSON cannot be read, so it is not in the draft.</p>
      )}
      <span role="status" className="quiet">
        {update.data !== undefined && !editing.changed && ` Saved as revision ${update.data.strategy?.revision ?? ''}.`}
      </span>
    </div>
  );
}
