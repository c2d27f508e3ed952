import { useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import type { Strategy } from '../../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { navigate } from '../../address/address.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Asks, and then ends a strategy; one that sessions use only when that is wanted. */
export function DeleteStrategy({ strategy }: { readonly strategy: Strategy }) {
  const [asking, setAsking] = useState(false);
  const [force, setForce] = useState(false);
  const end = useMutation(StrategyService.method.deleteStrategy, { onSuccess: () => navigate('/strategies') });
  const name = strategy.definition?.strategyName ?? '';
  return (
    <>
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Delete
      </button>
      {asking && (
        <Dialog title={`Delete ${name}?`} onClose={() => setAsking(false)}>
          <div className="form">
            <p>It can no longer be activated. Its revisions stay readable; the name becomes free.</p>
            <div className="field check">
              <input id="force" type="checkbox" checked={force} onChange={(event) => setForce(event.target.checked)} />
              <label htmlFor="force">Also when sessions use it: they go on with the revision that they run</label>
            </div>
            <Problem error={end.error} what="Not deleted" />
            <div className="actions">
              <button
                type="button"
                className="button danger"
                disabled={end.isPending}
                onClick={() => end.mutate({ strategy: strategy.id, force })}
              >
                Delete {name}
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
