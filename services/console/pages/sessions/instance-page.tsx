import { useQuery } from '@connectrpc/connect-query';
import { InstanceStatus } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { Instance } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  EvaluatorService,
  type ExplainInstanceResponse,
} from '../../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import { Link } from '../../address/link.tsx';
import { ConditionText } from '../../parts/condition-text.tsx';
import { Facts } from '../../parts/facts.tsx';
import { FreshnessMark } from '../../parts/freshness.tsx';
import { Mark } from '../../parts/mark.tsx';
import { When } from '../../parts/moment.tsx';
import { decimalText } from '../../parts/number.ts';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { EvaluationList } from './evaluation-list.tsx';
import { sectionText } from './section-text.ts';
import { StateMachine } from './state-machine.tsx';

const LOOK_MS = 1_000;

/** One strategy on one symbol: where it stands, and why it did or did not trade. */
export function InstancePage({ sessionId, id }: { readonly sessionId: string; readonly id: string }) {
  const { data, error } = useQuery(
    EvaluatorService.method.explainInstance,
    { instanceId: id },
    { refetchInterval: LOOK_MS },
  );
  if (data?.instance !== undefined) return <Known sessionId={sessionId} instance={data.instance} explained={data} />;
  return (
    <Page title="Instance">
      <Problem error={error} what="The instance cannot be explained" />
      {error === null && <Nothing>Loading …</Nothing>}
    </Page>
  );
}

function Known({
  sessionId,
  instance,
  explained,
}: {
  readonly sessionId: string;
  readonly instance: Instance;
  readonly explained: ExplainInstanceResponse;
}) {
  return (
    <Page
      title={`${instance.strategyName} on ${instance.symbol}`}
      lead={<Link href={`/sessions/${sessionId}`}>Back to the session</Link>}
    >
      <div className="stack">
        <p className="sentence" aria-live="polite">
          {explained.sentence}
        </p>
        <Panel title="State machine" actions={<FreshnessMark freshness={instance.freshness} />}>
          <div className="scroll-x" tabIndex={0} role="region" aria-label="State machine drawing">
            <StateMachine state={instance.state} />
          </div>
        </Panel>
        <div className="columns">
          <Panel title="Why did it not trade?" className="half">
            <ul className="plain-list">
              {explained.sections.map((view) => (
                <li key={view.section}>
                  <p className="row apart">
                    <strong>{sectionText(view.section)}</strong>
                    <Mark tone={!view.active ? 'idle' : view.result ? 'good' : 'busy'}>
                      {!view.active ? 'not looked at in this state' : view.result ? 'fires' : 'waits'}
                    </Mark>
                  </p>
                  {view.conditions.length === 0 && <p className="quiet">No conditions: never fires by itself.</p>}
                  {view.conditions.map((condition) => (
                    <ConditionText key={condition.conditionId} condition={condition} />
                  ))}
                </li>
              ))}
            </ul>
          </Panel>
          <div className="stack half">
            <Panel title="Instance">
              <Facts rows={instanceFacts(instance)} />
            </Panel>
            <Panel title="What it decided">
              <EvaluationList evaluations={explained.recent} />
            </Panel>
          </div>
        </div>
      </div>
    </Page>
  );
}

function instanceFacts(instance: Instance): (readonly [string, React.ReactNode])[] {
  return [
    ['Status', (InstanceStatus[instance.status] ?? '').toLowerCase()],
    ['Revision', `${instance.runningRevision} (wanted ${instance.wantedRevision})`],
    ['In this state since', <When key="since" time={instance.stateTime} />],
    ['Timer ends', instance.dueTime === undefined ? '' : <When key="due" time={instance.dueTime} />],
    ['Newest event', <When key="newest" time={instance.evaluatedTime} />],
    ['New entries', instance.paused ? 'held back: paused' : 'allowed'],
    ['Entry price', instance.entryPrice === '' ? '' : decimalText(instance.entryPrice)],
    ['Quantity', instance.quantity === '' ? '' : decimalText(instance.quantity)],
    ['Runs on', instance.replicaId],
    ['Fault', instance.fault],
  ];
}
