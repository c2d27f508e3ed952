import type { Session } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { PinPolicy } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { DisconnectPolicy } from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { Allowed, Role, useMay } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { Facts } from '../../parts/facts.tsx';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { When } from '../../parts/moment.tsx';
import { decimalText } from '../../parts/number.ts';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { PositionTable } from '../../parts/position-table.tsx';
import { Problem } from '../../parts/problem.tsx';
import { modeText, RUNNING_STATES, SessionMark } from '../../parts/session-state.tsx';
import { type SessionView, useSession } from '../../stream/use-session.ts';
import { ActivateStrategy } from './activate-strategy.tsx';
import { ActivationList } from './activation-list.tsx';
import { DeactivateStrategy } from './deactivate-strategy.tsx';
import { SessionActions } from './session-actions.tsx';
import { SessionCharts } from './session-charts.tsx';
import { SignalTable } from './signal-table.tsx';

/** One session, drawn as it happens. */
export function SessionPage({ id }: { readonly id: string }) {
  const view = useSession(id);
  if (view.session !== undefined) return <Known view={view} session={view.session} />;
  return (
    <Page title="Session">
      <Problem error={view.error} what="The session cannot be read" />
      {view.error === undefined && <Nothing>Loading …</Nothing>}
    </Page>
  );
}

function Known({ view, session }: { readonly view: SessionView; readonly session: Session }) {
  const signals = [...view.signals.values()].toReversed();
  const positions = [...view.positions.values()].toSorted((a, b) => a.state - b.state || (a.id < b.id ? 1 : -1));
  const running = RUNNING_STATES.includes(session.state);
  const may = useMay(Role.OPERATOR) && running;
  return (
    <Page
      title={`${modeText(session.mode)} session on ${session.executorName || session.dataset}`}
      lead={<SessionMark state={session.state} />}
      actions={
        running && (
          <Allowed role={Role.OPERATOR}>
            <ActivateStrategy session={session} />
            <SessionActions session={session} />
          </Allowed>
        )
      }
    >
      <div className="stack">
        {session.reason !== '' && <p className="sentence">{session.reason}</p>}
        <Panel title="Session">
          <Facts rows={sessionFacts(session)} />
        </Panel>
        <Panel title="Activations">
          <ActivationList
            activations={session.activations}
            sessionId={session.id}
            actions={may ? (activation) => <DeactivateStrategy session={session} activation={activation} /> : undefined}
          />
        </Panel>
        <SessionCharts session={session} signals={signals} positions={positions} />
        <Panel title={`Positions (${positions.length})`}>
          {positions.length === 0 ? <Nothing>No position yet.</Nothing> : <PositionTable positions={positions} />}
        </Panel>
        <Panel title={`Signals (${signals.length})`}>
          {signals.length === 0 ? <Nothing>No signal yet.</Nothing> : <SignalTable signals={signals} />}
        </Panel>
      </div>
    </Page>
  );
}

function sessionFacts(session: Session): (readonly [string, React.ReactNode])[] {
  return [
    ['Equity', decimalText(session.equity, 2)],
    ['Realised', decimalText(session.realisedPnl, 2)],
    ['Initial balance', decimalText(session.initialBalance, 2)],
    ['Largest drawdown', `${decimalText(session.maxDrawdownPct, 2)} %`],
    ['Inputs', <FreshnessMark key="inputs" freshness={session.freshness} />],
    [
      'Executor',
      <Link key="executor" href={`/executors/${encodeURIComponent(session.executorName)}`}>
        {session.executorName}
      </Link>,
    ],
    ['Edits', session.pinPolicy === PinPolicy.PINNED ? 'pinned' : 'follow the latest'],
    ['Without the platform', (DisconnectPolicy[session.disconnectPolicy] ?? '').toLowerCase().replaceAll('_', ' ')],
    ['Started', <When key="started" time={session.startTime} />],
    ['Stopped', session.stopTime === undefined ? '' : <When key="stopped" time={session.stopTime} />],
    ['Id', <code key="id">{session.id}</code>],
  ];
}
