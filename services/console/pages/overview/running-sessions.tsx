import { useQuery } from '@connectrpc/connect-query';
import { ActivationState } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Link } from '../../address/link.tsx';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { decimalText } from '../../parts/number.ts';
import { Nothing, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { modeText, RUNNING_STATES, SessionMark } from '../../parts/session-state.tsx';

const LOOK_MS = 3_000;

/** Sessions that have not ended. */
export function RunningSessions() {
  const { data, error } = useQuery(
    SessionService.method.listSessions,
    { states: [...RUNNING_STATES], pageSize: 100 },
    { refetchInterval: LOOK_MS },
  );
  const sessions = data?.sessions ?? [];
  return (
    <Panel
      title={
        sessions.length === 0
          ? 'Sessions running'
          : `Sessions running (${data?.nextPageToken === '' ? '' : 'the newest '}${sessions.length})`
      }
      className="half"
      actions={<Link href="/sessions">All sessions</Link>}
    >
      <Problem error={error} what="Sessions cannot be read" />
      {error === null && sessions.length === 0 && <Nothing>{data === undefined ? 'Loading …' : 'None.'}</Nothing>}
      <ul className="plain-list">
        {sessions.map((session) => (
          <li key={session.id}>
            <p className="row apart">
              <span className="row">
                <SessionMark state={session.state} />
                <Link href={`/sessions/${session.id}`}>
                  {modeText(session.mode)} on {session.executorName}
                </Link>
              </span>
              <span>{decimalText(session.equity, 2)}</span>
            </p>
            <p className="row quiet">
              <span>
                {session.activations.filter(({ state }) => state === ActivationState.ACTIVE).length} of{' '}
                {session.activations.length} active
              </span>
              <FreshnessMark freshness={session.freshness} />
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
