import { useState } from 'react';
import { type Executor, ExecutorState } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { ExecutorMark } from '../../parts/executor-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Mark } from '../../parts/mark.tsx';
import { Ago, When } from '../../parts/moment.tsx';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { Canary } from './canary.tsx';
import { ContractVerdict } from './contract-verdict.tsx';
import { DisableExecutor } from './disable-executor.tsx';
import { LastRefusal } from './last-refusal.tsx';
import { clockOffsetText, linkText, roundTripText, wireVerdictText } from './link-text.ts';
import { RotateCredentials } from './rotate-credentials.tsx';

/** One executor, live. */
export function ExecutorPage({
  name,
  executors,
}: {
  readonly name: string;
  readonly executors: readonly Executor[] | undefined;
}) {
  const executor = executors?.find((each) => each.name === name || each.id === name);
  if (executor === undefined) {
    return (
      <Page title={name}>
        <Nothing>{executors === undefined ? 'Loading …' : `There is no executor ${name}.`}</Nothing>
      </Page>
    );
  }
  return <Known executor={executor} />;
}

function Known({ executor }: { readonly executor: Executor }) {
  const [asking, setAsking] = useState<'rotate' | 'disable'>();
  const disabled = executor.state === ExecutorState.DISABLED;
  return (
    <Page
      title={executor.name}
      lead={<ExecutorMark state={executor.state} />}
      actions={
        <>
          <Canary executor={executor} />
          <Link className="button small" href={`/commands?executor=${encodeURIComponent(executor.name)}`}>
            Its commands
          </Link>
          {!disabled && (
            <Allowed role={Role.ADMIN}>
              <button type="button" className="button small" onClick={() => setAsking('rotate')}>
                Rotate credentials
              </button>
              <button type="button" className="button small danger" onClick={() => setAsking('disable')}>
                Disable
              </button>
            </Allowed>
          )}
        </>
      }
    >
      {asking === 'rotate' && <RotateCredentials executor={executor} onClose={() => setAsking(undefined)} />}
      {asking === 'disable' && <DisableExecutor executor={executor} onClose={() => setAsking(undefined)} />}
      <div className="stack">
        <Panel title="Connection">
          <Facts rows={connectionFacts(executor)} />
        </Panel>
        <Panel title="Contract">
          <Facts
            rows={[
              ['Verdict', <ContractVerdict key="verdict" executor={executor} full />],
              ['Wire format', wireVerdictText(executor)],
              ['Agent version', executor.agentVersion],
              ['Contract digest', <code key="digest">{executor.contractDigest.slice(0, 16) || '–'}</code>],
              ['Kinds', executor.kinds.join(', ')],
            ]}
          />
        </Panel>
        <Panel title="Credentials">
          <div className="scroll-x" tabIndex={0} role="region" aria-label="Credentials table">
            <table>
              <thead>
                <tr>
                  <th>Key</th>
                  <th>Created</th>
                  <th>Valid until</th>
                </tr>
              </thead>
              <tbody>
                {executor.credentials.map((credential) => (
                  <tr key={credential.keyId}>
                    <td>
                      <code>{credential.keyId}</code>
                    </td>
                    <td>
                      <When time={credential.createTime} />
                    </td>
                    <td>{credential.expireTime === undefined ? 'no end' : <When time={credential.expireTime} />}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
      </div>
    </Page>
  );
}

function connectionFacts(executor: Executor): (readonly [string, React.ReactNode])[] {
  const labels = Object.entries(executor.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ['Link', linkText(executor)],
    ['Last seen', <Ago key="seen" time={executor.lastSeenTime} />],
    ['Round trip', roundTripText(executor)],
    ['In flight', `${executor.inFlight} of ${executor.inFlightMax} credits`],
    ['Queued', `${executor.queued} of at most ${executor.queuedMax}`],
    ['Clock offset', clockOffsetText(executor)],
    ['Connected', <When key="connected" time={executor.connectTime} />],
    ['Disconnected', executor.disconnectTime === undefined ? '' : <When key="gone" time={executor.disconnectTime} />],
    ['Why it ended', executor.disconnectReason],
    ['Last refusal', <LastRefusal key="refusal" refusal={executor.lastRefusal} />],
    ['Host', executor.host],
    ['Held by', executor.ownerReplica],
    ['Stream epoch', String(executor.streamEpoch)],
    ['Journal', executor.journalId === '' ? '' : <code key="journal">{executor.journalId}</code>],
    [
      'Takeovers',
      executor.takeovers === 0 ? (
        '0'
      ) : (
        <Mark key="takeovers" tone="warn">
          {executor.takeovers}: do two machines share one credential?
        </Mark>
      ),
    ],
    ['Labels', labels.join(', ')],
    ['Created', <When key="created" time={executor.createTime} />],
    ['Id', <code key="id">{executor.id}</code>],
  ];
}
