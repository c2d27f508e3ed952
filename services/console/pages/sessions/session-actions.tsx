import { useMutation } from '@connectrpc/connect-query';
import { useState } from 'react';
import { type Session, SessionState } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Pause, resume and stop; what they have brought about comes by the session's stream. */
export function SessionActions({ session }: { readonly session: Session }) {
  const [stopping, setStopping] = useState(false);
  const pause = useMutation(SessionService.method.pauseSession);
  const resume = useMutation(SessionService.method.resumeSession);
  const { id } = session;
  return (
    <>
      {session.state === SessionState.ACTIVE && (
        <button type="button" className="button" disabled={pause.isPending} onClick={() => pause.mutate({ id })}>
          Pause
        </button>
      )}
      {session.state === SessionState.PAUSED && (
        <button
          type="button"
          className="button primary"
          disabled={resume.isPending}
          onClick={() => resume.mutate({ id })}
        >
          Resume
        </button>
      )}
      {session.state !== SessionState.STOPPING && (
        <button type="button" className="button danger" onClick={() => setStopping(true)}>
          Stop …
        </button>
      )}
      <Problem error={pause.error ?? resume.error} />
      {stopping && <StopSession session={session} onClose={() => setStopping(false)} />}
    </>
  );
}

function StopSession({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) {
  const [close, setClose] = useState(true);
  const stop = useMutation(SessionService.method.stopSession, { onSuccess: onClose });
  return (
    <Dialog title="Stop the session?" onClose={onClose}>
      <div className="form">
        <p>
          Its {session.activations.length} activations end and {session.executorName} is told to stop. If the executor
          is away, the stop waits for it.
        </p>
        <div className="field check">
          <input id="stop-close" type="checkbox" checked={close} onChange={(event) => setClose(event.target.checked)} />
          <label htmlFor="stop-close">Close open positions; otherwise they stay, unwatched by any strategy</label>
        </div>
        <Problem
          error={stop.error}
          what="Not stopped"
          unconfirmed="No answer says whether the stop is stored. Press again: that does no harm"
        />
        <div className="actions">
          <button
            type="button"
            className="button danger"
            disabled={stop.isPending}
            onClick={() => stop.mutate({ id: session.id, closePositions: close })}
          >
            Stop{close ? ' and close positions' : ''}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave
          </button>
        </div>
      </div>
    </Dialog>
  );
}
