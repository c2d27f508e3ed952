import { useQuery } from '@connectrpc/connect-query';
import type { Strategy } from '../../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Link } from '../../address/link.tsx';
import { Mark } from '../../parts/mark.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';

const LOOK_MS = 1_000;

/** Which evaluators have applied the newest revision, and which instances run it. */
export function Rollout({ strategy }: { readonly strategy: Strategy }) {
  const { data, error } = useQuery(
    StrategyService.method.getRollout,
    { strategy: strategy.id },
    { refetchInterval: LOOK_MS },
  );
  return (
    <div className="stack">
      <Problem error={error} what="The roll-out cannot be read" />
      <Panel title={`Evaluators${data === undefined ? '' : `: the account is at revision ${data.revision}`}`}>
        {data?.evaluators.length === 0 && <Nothing>No evaluator follows this account now.</Nothing>}
        <ul className="plain-list">
          {data?.evaluators.map((each) => (
            <li key={each.replicaId} className="row apart">
              <span className="row">
                {each.current ? <Mark tone="good">current</Mark> : <Mark tone="warn">behind</Mark>}
                {each.replicaId}
              </span>
              <span className="quiet">
                revision {String(each.appliedRevision)} · <code>{each.digest.slice(0, 12)}</code>
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Instances">
        {data?.instances.length === 0 && <Nothing>Nothing runs it.</Nothing>}
        <ul className="plain-list">
          {data?.instances.map((each) => (
            <li key={`${each.sessionId} ${each.symbol}`} className="row apart">
              <span className="row">
                {each.current ? (
                  <Mark tone="good">current</Mark>
                ) : (
                  <Mark tone={each.pinned ? 'idle' : 'warn'}>{each.pinned ? 'pinned' : 'older'}</Mark>
                )}
                <Link href={`/sessions/${each.sessionId}`}>{each.symbol}</Link>
              </span>
              <span className="quiet">
                revision {String(each.runningRevision)} on {each.replicaId}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
