import { useState } from 'react';
import type { Executor } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { ExecutorMark, RefusedMark } from '../../parts/executor-state.tsx';
import { Ago } from '../../parts/moment.tsx';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { useExecutors } from '../../stream/use-executors.ts';
import { Canary } from './canary.tsx';
import { ContractVerdict } from './contract-verdict.tsx';
import { CreateExecutor } from './create-executor.tsx';
import { ExecutorPage } from './executor-page.tsx';
import { linkText, roundTripText } from './link-text.ts';

/** /executors: the fleet, live; /executors/NAME: one of it. */
export default function Executors({ rest }: { readonly rest: readonly string[] }) {
  const [name] = rest;
  const executors = useExecutors();
  if (name !== undefined) return <ExecutorPage name={name} executors={executors} />;
  return <Fleet executors={executors} />;
}

function Fleet({ executors }: { readonly executors: readonly Executor[] | undefined }) {
  const [creating, setCreating] = useState(false);
  return (
    <Page
      title="Executors"
      lead="The agents that act at the venues, as they are now."
      actions={
        <Allowed role={Role.ADMIN}>
          <button type="button" className="button primary" onClick={() => setCreating(true)}>
            Create executor
          </button>
        </Allowed>
      }
    >
      {creating && <CreateExecutor onClose={() => setCreating(false)} />}
      <Panel title={executors === undefined ? 'Fleet' : `Fleet (${executors.length})`}>
        {executors === undefined ? (
          <p className="nothing" role="status">
            Loading …
          </p>
        ) : executors.length === 0 ? (
          <Nothing>
            There is no executor yet. Create one and start its agent with the credentials that are shown.
          </Nothing>
        ) : (
          <FleetTable executors={executors} />
        )}
      </Panel>
    </Page>
  );
}

function FleetTable({ executors }: { readonly executors: readonly Executor[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Fleet table">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>State</th>
            <th>Link</th>
            <th>Version</th>
            <th>Contract</th>
            <th className="number">In flight</th>
            <th className="number">Queued</th>
            <th>Last seen</th>
            <th className="number">Round trip</th>
            <th>Canary</th>
          </tr>
        </thead>
        <tbody>
          {executors.map((executor) => (
            <tr key={executor.id}>
              <td>
                <Link href={`/executors/${encodeURIComponent(executor.name)}`}>{executor.name}</Link>
              </td>
              <td>
                <span className="row">
                  <ExecutorMark state={executor.state} />
                  <RefusedMark lastRefusal={executor.lastRefusal} />
                </span>
              </td>
              <td>{linkText(executor)}</td>
              <td>{executor.agentVersion || '–'}</td>
              <td>
                <ContractVerdict executor={executor} />
              </td>
              <td className="number">
                {executor.inFlight} / {executor.inFlightMax}
              </td>
              <td className="number">{executor.queued}</td>
              <td>
                <Ago time={executor.lastSeenTime} />
              </td>
              <td className="number">{roundTripText(executor)}</td>
              <td>
                <Canary executor={executor} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
