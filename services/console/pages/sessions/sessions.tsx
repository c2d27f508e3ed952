import { useQuery } from '@connectrpc/connect-query';
import { useState } from 'react';
import { ActivationState } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { When } from '../../parts/moment.tsx';
import { decimalText } from '../../parts/number.ts';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { modeText, RUNNING_STATES, SessionMark } from '../../parts/session-state.tsx';
import { InstancePage } from './instance-page.tsx';
import { SessionPage } from './session-page.tsx';
import { StartSession } from './start-session.tsx';

const LOOK_MS = 2_000;
/** Of the newest; those that run can be looked at alone. */
const SHOWN_MAX = 200;

/** /sessions: all of them; /sessions/ID: one; /sessions/ID/INSTANCE: one strategy on one symbol in it. */
export default function Sessions({ rest }: { readonly rest: readonly string[] }) {
  const [id, instanceId] = rest;
  if (id === undefined) return <SessionList />;
  return instanceId === undefined ? (
    <SessionPage key={id} id={id} />
  ) : (
    <InstancePage key={instanceId} sessionId={id} id={instanceId} />
  );
}

function SessionList() {
  const [starting, setStarting] = useState(false);
  const [onlyRunning, setOnlyRunning] = useState(false);
  const { data, error } = useQuery(
    SessionService.method.listSessions,
    { states: onlyRunning ? [...RUNNING_STATES] : [], pageSize: SHOWN_MAX },
    { refetchInterval: LOOK_MS },
  );
  const sessions = data?.sessions ?? [];
  return (
    <Page
      title="Sessions"
      lead="Which strategies trade which symbols on which executor, and what came of it."
      actions={
        <Allowed role={Role.OPERATOR}>
          <button type="button" className="button primary" onClick={() => setStarting(true)}>
            Start a session
          </button>
        </Allowed>
      }
    >
      {starting && <StartSession onClose={() => setStarting(false)} />}
      <Panel
        title={
          data === undefined
            ? 'Sessions'
            : `Sessions (${data.nextPageToken === '' ? '' : 'the newest '}${sessions.length})`
        }
        actions={
          <div className="field check">
            <input
              id="only-running"
              type="checkbox"
              checked={onlyRunning}
              onChange={(event) => setOnlyRunning(event.target.checked)}
            />
            <label htmlFor="only-running">Only those that run</label>
          </div>
        }
      >
        <Problem error={error} what="Sessions cannot be read" />
        {error === null && sessions.length === 0 ? (
          <Nothing>
            {data === undefined ? 'Loading …' : onlyRunning ? 'None runs.' : 'There was no session yet.'}
          </Nothing>
        ) : (
          <div className="scroll-x" tabIndex={0} role="region" aria-label="Sessions table">
            <table>
              <thead>
                <tr>
                  <th>Session</th>
                  <th>State</th>
                  <th>Executor</th>
                  <th>Active</th>
                  <th>Inputs</th>
                  <th className="number">Equity</th>
                  <th className="number">Realised</th>
                  <th className="number">Drawdown</th>
                  <th>Started</th>
                </tr>
              </thead>
              <tbody>
                {sessions.map((session) => (
                  <tr key={session.id}>
                    <td>
                      <Link href={`/sessions/${session.id}`} className="mono">
                        {modeText(session.mode)} {session.id.slice(0, 8)}
                      </Link>
                    </td>
                    <td>
                      <SessionMark state={session.state} />
                    </td>
                    <td>{session.executorName}</td>
                    <td>
                      {session.activations.filter(({ state }) => state === ActivationState.ACTIVE).length} of{' '}
                      {session.activations.length}
                    </td>
                    <td>
                      <FreshnessMark freshness={session.freshness} />
                    </td>
                    <td className="number">{decimalText(session.equity, 2)}</td>
                    <td className={`number ${session.realisedPnl.startsWith('-') ? 'fault' : ''}`}>
                      {decimalText(session.realisedPnl, 2)}
                    </td>
                    <td className="number">{decimalText(session.maxDrawdownPct, 2)} %</td>
                    <td>
                      <When time={session.startTime ?? session.createTime} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
    </Page>
  );
}
