import { useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import {
  type Activation,
  ActivationState,
  type Session,
} from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Takes one strategy on one symbol out of a session. */
export function DeactivateStrategy({
  session,
  activation,
}: {
  readonly session: Session;
  readonly activation: Activation;
}) {
  const [asking, setAsking] = useState(false);
  const [close, setClose] = useState(false);
  const end = useMutation(SessionService.method.deactivateStrategy, { onSuccess: () => setAsking(false) });
  if (activation.state !== ActivationState.ACTIVE && activation.state !== ActivationState.PENDING) return null;
  const what = `${activation.strategyName} on ${activation.symbol}`;
  return (
    <>
      <button type="button" className="button small" onClick={() => setAsking(true)} aria-label={`Deactivate ${what}`}>
        Deactivate
      </button>
      {asking && (
        <Dialog title={`Deactivate ${what}?`} onClose={() => setAsking(false)}>
          <div className="form">
            <p>
              It takes no more signals. An open position is still exited by its strategy, and the instance ends when it
              is flat.
            </p>
            <div className="field check">
              <input
                id="deactivate-close"
                type="checkbox"
                checked={close}
                onChange={(event) => setClose(event.target.checked)}
              />
              <label htmlFor="deactivate-close">Close its position now instead</label>
            </div>
            <Problem
              error={end.error}
              what="Not deactivated"
              unconfirmed="No answer says whether it was deactivated. Press again: that does no harm"
            />
            <div className="actions">
              <button
                type="button"
                className="button danger"
                disabled={end.isPending}
                onClick={() =>
                  end.mutate({
                    id: session.id,
                    strategy: activation.strategyId,
                    symbols: [activation.symbol],
                    closePositions: close,
                  })
                }
              >
                Deactivate
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
