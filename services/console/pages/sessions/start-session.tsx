import { useMutation, useQuery } from '@connectrpc/connect-query';
import { skipToken } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { DisconnectPolicy, SessionMode } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { PinPolicy } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SessionState } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { navigate } from '../../address/address.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { msOf } from '../../parts/time.ts';
import { useExecutorNames } from '../../stream/use-executor-names.ts';
import { useRequestId } from '../../stream/use-request-id.ts';
import { ActivationList } from './activation-list.tsx';
import { useFailedSession } from './failed-session.ts';
import { type Choice, StrategyChoices, symbolsOf } from './strategy-choice.tsx';

const LOOK_MS = 250;
/** The platform's clock may be this far behind the browser's. */
const CLOCKS_MS = 5_000;

const MODES = [SessionMode.PAPER, SessionMode.LIVE] as const;
const PIN_POLICIES = [PinPolicy.FOLLOW_LATEST, PinPolicy.PINNED] as const;
const DISCONNECT_POLICIES = [
  DisconnectPolicy.HOLD,
  DisconnectPolicy.REDUCE_ONLY,
  DisconnectPolicy.CANCEL_ORDERS,
  DisconnectPolicy.FLATTEN,
] as const;

/** The option whose number was chosen; the first one stands for none. */
function chosen<T extends number>(options: readonly [T, ...T[]], text: string): T {
  return options.find((option) => String(option) === text) ?? options[0];
}

/** Starts a session, showing each activation as it is answered. */
export function StartSession({ onClose }: { readonly onClose: () => void }) {
  const executors = useExecutorNames();
  const [choices, setChoices] = useState<readonly Choice[]>([{ strategy: '', symbols: '' }]);
  const [submittedMs, setSubmittedMs] = useState<number>();
  const requestIdOf = useRequestId();
  const start = useMutation(SessionService.method.startSession, {
    onSuccess: ({ session }) => {
      if (session !== undefined) navigate(`/sessions/${session.id}`);
    },
  });
  // The call answers when everything is decided; until then the session is found among those that are starting.
  const underWay = useQuery(
    SessionService.method.listSessions,
    start.isPending ? { states: [SessionState.STARTING, SessionState.ACTIVE], pageSize: 10 } : skipToken,
    { refetchInterval: LOOK_MS },
  ).data?.sessions.find(
    (session) => (msOf(session.createTime) ?? 0) >= (submittedMs ?? Number.POSITIVE_INFINITY) - CLOCKS_MS,
  );
  const failed = useFailedSession(start.error);
  const shown = start.isPending ? underWay : failed;

  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const text = (name: string): string => {
      const value = fields.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    const body = {
      mode: chosen(MODES, text('mode')),
      executor: text('executor'),
      strategies: choices.map(({ strategy, symbols }) => ({ strategy, symbols: symbolsOf(symbols) })),
      pinPolicy: chosen(PIN_POLICIES, text('pin')),
      disconnectPolicy: chosen(DISCONNECT_POLICIES, text('policy')),
      initialBalance: text('balance'),
      allowPartial: fields.has('partial'),
    };
    const requestId = requestIdOf(JSON.stringify(body), start);
    setSubmittedMs(Date.now());
    start.mutate({ ...body, requestId });
  };

  return (
    <Dialog title="Start a session" onClose={onClose} wide>
      <form className="form" onSubmit={submit}>
        <div className="fields">
          <div className="field">
            <label htmlFor="mode">Mode</label>
            <select id="mode" name="mode">
              <option value={SessionMode.PAPER}>paper</option>
              <option value={SessionMode.LIVE}>live: real money</option>
            </select>
          </div>
          <div className="field">
            <label htmlFor="session-executor">Executor</label>
            <select id="session-executor" name="executor" required>
              {executors.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor="session-balance">Initial balance</label>
            <input id="session-balance" name="balance" inputMode="decimal" placeholder="10000" />
            <span className="help">In the quote asset; needed for paper.</span>
          </div>
        </div>
        <fieldset>
          <legend>Strategies</legend>
          <StrategyChoices choices={choices} onChange={setChoices} />
        </fieldset>
        <div className="fields">
          <div className="field">
            <label htmlFor="pin">When a strategy is edited</label>
            <select id="pin" name="pin">
              <option value={PinPolicy.FOLLOW_LATEST}>follow: a flat instance switches at once</option>
              <option value={PinPolicy.PINNED}>pinned: stay on this revision</option>
            </select>
          </div>
          <div className="field">
            <label htmlFor="policy">When the agent loses the platform</label>
            <select id="policy" name="policy">
              <option value={DisconnectPolicy.HOLD}>hold everything</option>
              <option value={DisconnectPolicy.REDUCE_ONLY}>only reduce</option>
              <option value={DisconnectPolicy.CANCEL_ORDERS}>cancel orders</option>
              <option value={DisconnectPolicy.FLATTEN}>flatten after 60 s</option>
            </select>
          </div>
          <div className="field check">
            <input id="partial" name="partial" type="checkbox" />
            <label htmlFor="partial">Start although some cannot be activated</label>
          </div>
        </div>
        <div className="actions">
          <button type="submit" className="button primary" disabled={start.isPending}>
            {start.isPending ? 'Starting …' : 'Start'}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave
          </button>
        </div>
        <Problem
          error={start.error}
          what="The session did not start; nothing runs"
          unconfirmed="No answer says whether the session runs. Press again until one does: it stays one session"
        />
        {shown !== undefined && <ActivationList activations={shown.activations} />}
      </form>
    </Dialog>
  );
}
