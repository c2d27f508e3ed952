import { useQuery } from '@connectrpc/connect-query';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { RUNNING_STATES } from '../parts/session-state.tsx';

/** What the kill switch will bring about, told before it is pulled; what is not known is not told as none. */
export function WhatItDoes({
  executors,
  known,
  all,
  close,
}: {
  readonly executors: readonly Executor[];
  /** Whether `executors` are all there are. */
  readonly known: boolean;
  readonly all: boolean;
  readonly close: boolean;
}) {
  const { data } = useQuery(SessionService.method.listSessions, { states: [...RUNNING_STATES], pageSize: 1_000 });
  const met = data?.sessions.filter((session) => all || executors.some(({ id }) => id === session.executorId));
  const count = met === undefined ? '' : `${data?.nextPageToken === '' ? '' : 'at least '}${met.length}`;
  const away = executors.filter(({ state }) => state !== ExecutorState.ONLINE);
  return (
    <div className="sentence">
      <p>This will, at once:</p>
      <ul>
        <li>
          {met === undefined
            ? 'stop every session that it meets, how many is not known yet,'
            : `stop ${count} ${met.length === 1 ? 'session' : 'sessions'}`}{' '}
          with everything that runs in {met?.length === 1 ? 'it' : 'them'}, and take no new entries;
        </li>
        <li>
          send the stop to {all && !known ? 'every executor of the account' : namesOf(executors)}, ahead of every other
          command; undelivered entries are cancelled;
        </li>
        <li>
          {close
            ? 'close every open position at the market price'
            : 'leave open positions as they are, unwatched by any strategy'}
          {away.length > 0 ? ';' : '.'}
        </li>
        {away.length > 0 && (
          <li>
            wait for {namesOf(away)}: away now, {away.length === 1 ? 'it applies' : 'they apply'} it on return.
          </li>
        )}
      </ul>
    </div>
  );
}

function namesOf(executors: readonly Executor[]): string {
  return executors.map(({ name }) => name).join(', ') || 'no executor';
}
