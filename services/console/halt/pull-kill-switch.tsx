import { useMutation } from '@connectrpc/connect-query';
import { type ReactNode, useRef, useState } from 'react';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type Halt, HaltScope } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Problem } from '../parts/problem.tsx';
import { WhatItDoes } from './what-it-does.tsx';

/** Asks what is to be stopped, and stops it. Everything of the account can be stopped also while nobody says what that is. */
export function PullKillSwitch({
  executors,
  complete,
  onPulled,
  leave,
}: {
  /** Undefined while they are not known. */
  readonly executors: readonly Executor[] | undefined;
  /** There are no more of them than these. */
  readonly complete: boolean;
  readonly onPulled: (halt: Halt) => void;
  readonly leave: ReactNode;
}) {
  const [target, setTarget] = useState('');
  const [close, setClose] = useState(true);
  const request = useRef({ body: '', id: '' });
  const stop = useMutation(SessionService.method.stopAll, {
    onSuccess: ({ halt }) => {
      if (halt !== undefined) onPulled(halt);
    },
  });
  // The one that was chosen stays, also when it is disabled meanwhile: the list would show everything as chosen in its place.
  const offered = executors?.filter(({ id, state }) => state !== ExecutorState.DISABLED || id === target) ?? [];
  const known = executors !== undefined && complete;
  const met = target === '' ? offered : offered.filter((executor) => executor.id === target);

  const pull = (): void => {
    const body = {
      scope: target === '' ? HaltScope.ACCOUNT : HaltScope.EXECUTOR,
      target,
      closePositions: close,
    };
    const text = JSON.stringify(body);
    // The same wish pressed twice is one stop, another wish is another.
    if (request.current.body !== text) request.current = { body: text, id: crypto.randomUUID() };
    stop.mutate({ ...body, requestId: request.current.id });
  };

  return (
    <div className="form">
      <div className="field">
        <label htmlFor="halt-target">Stop</label>
        <select id="halt-target" value={target} onChange={(event) => setTarget(event.target.value)}>
          <option value="">everything of the account</option>
          {offered.map((executor) => (
            <option key={executor.id} value={executor.id}>
              everything on {executor.name}
            </option>
          ))}
        </select>
        {executors !== undefined && !complete && (
          <span className="help">Only the first {executors.length} executors by name are offered; there are more.</span>
        )}
      </div>
      <div className="field check">
        <input id="halt-close" type="checkbox" checked={close} onChange={(event) => setClose(event.target.checked)} />
        <label htmlFor="halt-close">Close open positions at the market</label>
      </div>
      <WhatItDoes executors={met} known={known} all={target === ''} close={close} />
      <Problem
        error={stop.error}
        what="Not stopped"
        unconfirmed="No answer says that the stop is stored. Press again until one does: it stays one stop"
      />
      <div className="actions">
        <button type="button" className="button danger" disabled={stop.isPending} onClick={pull}>
          {stop.isPending ? 'Storing the stop …' : labelOf(met, known || target !== '', close)}
        </button>
        {leave}
      </div>
    </div>
  );
}

function labelOf(met: readonly Executor[], known: boolean, close: boolean): string {
  const [first] = met;
  const whom =
    !known || first === undefined ? 'everything' : met.length === 1 ? first.name : `all ${met.length} executors`;
  return `Stop ${whom}${close ? ' and close positions' : ''}`;
}
