import { useMutation, useQuery } from '@connectrpc/connect-query';
import { skipToken } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { type Halt, HaltScope } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { RUNNING_STATES } from '../parts/session-state.tsx';
import { Acknowledgements } from './acknowledgements.tsx';

const LOOK_MS = 500;

/** Says what it will do and to whom, does it, and shows who has confirmed. */
export function KillSwitch({
  executors,
  onClose,
}: {
  readonly executors: readonly Executor[];
  readonly onClose: () => void;
}) {
  const [target, setTarget] = useState('');
  const [close, setClose] = useState(true);
  const requestId = useRef(crypto.randomUUID());
  const stop = useMutation(SessionService.method.stopAll);
  const id = stop.data?.halt?.id;
  const halt = useQuery(SessionService.method.getHalt, id === undefined ? skipToken : { id }, {
    refetchInterval: ({ state: { data } }) => (data?.halt?.over === true ? false : LOOK_MS),
  });
  const pulled = halt.data?.halt ?? stop.data?.halt;
  const enabled = executors.filter(({ state }) => state !== ExecutorState.DISABLED);
  const met = target === '' ? enabled : enabled.filter((executor) => executor.id === target);

  return (
    <Dialog title="Kill switch" onClose={onClose} wide>
      {pulled === undefined ? (
        <div className="form">
          <div className="field">
            <label htmlFor="halt-target">Stop</label>
            <select id="halt-target" value={target} onChange={(event) => setTarget(event.target.value)}>
              <option value="">everything of the account</option>
              {enabled.map((executor) => (
                <option key={executor.id} value={executor.id}>
                  everything on {executor.name}
                </option>
              ))}
            </select>
          </div>
          <div className="field check">
            <input
              id="halt-close"
              type="checkbox"
              checked={close}
              onChange={(event) => setClose(event.target.checked)}
            />
            <label htmlFor="halt-close">Close open positions at the market</label>
          </div>
          <WhatItDoes executors={met} all={target === ''} close={close} />
          <Problem error={stop.error} what="Not stopped" />
          <div className="actions">
            <button
              type="button"
              className="button danger"
              disabled={stop.isPending || met.length === 0}
              onClick={() =>
                stop.mutate({
                  scope: target === '' ? HaltScope.ACCOUNT : HaltScope.EXECUTOR,
                  target,
                  closePositions: close,
                  requestId: requestId.current,
                })
              }
            >
              Stop {met.length === 1 ? (met[0]?.name ?? '') : `all ${met.length} executors`}
              {close ? ' and close positions' : ''}
            </button>
            <button type="button" className="button" onClick={onClose}>
              Leave
            </button>
          </div>
        </div>
      ) : (
        <div className="stack">
          <p role="status">
            <strong>{standOf(pulled)}</strong>{' '}
            {pulled.over ? '' : 'Executors that are away apply it before anything else when they return.'}
          </p>
          <Acknowledgements halt={pulled} />
        </div>
      )}
    </Dialog>
  );
}

function standOf({ complete, over }: Halt): string {
  if (complete) return 'Everybody has confirmed.';
  return over ? 'It is over, and not everybody has confirmed.' : 'The stop is stored and on its way.';
}

function WhatItDoes({
  executors,
  all,
  close,
}: {
  readonly executors: readonly Executor[];
  readonly all: boolean;
  readonly close: boolean;
}) {
  const sessions = useQuery(SessionService.method.listSessions, { states: [...RUNNING_STATES], pageSize: 1_000 });
  const met = (sessions.data?.sessions ?? []).filter(
    (session) => all || executors.some(({ id }) => id === session.executorId),
  );
  const away = executors.filter(({ state }) => state !== ExecutorState.ONLINE);
  return (
    <div className="sentence">
      <p>This will, at once:</p>
      <ul>
        <li>
          stop {met.length} {met.length === 1 ? 'session' : 'sessions'} with everything that runs in{' '}
          {met.length === 1 ? 'it' : 'them'}, and take no new entries;
        </li>
        <li>
          send the stop to {executors.map(({ name }) => name).join(', ') || 'no executor'}, ahead of every other
          command; undelivered entries are cancelled;
        </li>
        <li>
          {close
            ? 'close every open position at the market price;'
            : 'leave open positions as they are, unwatched by any strategy;'}
        </li>
        {away.length > 0 && (
          <li>
            wait for {away.map(({ name }) => name).join(', ')}: away now,{' '}
            {away.length === 1 ? 'it applies' : 'they apply'} it on return.
          </li>
        )}
      </ul>
    </div>
  );
}
