import { type Executor, ExecutorState } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Link } from '../../address/link.tsx';
import { ExecutorMark, RefusedMark } from '../../parts/executor-state.tsx';
import { Ago } from '../../parts/moment.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';
import { spanMsOf, spanText } from '../../parts/time.ts';

const SHOWN_MAX = 8;
/** What needs a look comes first. */
const ORDER = [ExecutorState.OFFLINE, ExecutorState.NEVER_CONNECTED, ExecutorState.ONLINE, ExecutorState.DISABLED];

/** The fleet in short; those that are away come first. */
export function FleetHealth({ executors }: { readonly executors: readonly Executor[] | undefined }) {
  const sorted = (executors ?? []).toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return (
    <Panel title="Fleet" className="half" actions={<Link href="/executors">All executors</Link>}>
      {sorted.length === 0 ? (
        <Nothing>{executors === undefined ? 'Loading …' : 'There is no executor yet.'}</Nothing>
      ) : (
        <ul className="plain-list">
          {sorted.slice(0, SHOWN_MAX).map((executor) => (
            <li key={executor.id} className="row apart">
              <span className="row">
                <ExecutorMark state={executor.state} />
                <Link href={`/executors/${encodeURIComponent(executor.name)}`}>{executor.name}</Link>
                <RefusedMark lastRefusal={executor.lastRefusal} />
              </span>
              <span className="quiet">
                {executor.queued > 0 && `${executor.queued} queued · `}
                {executor.state === ExecutorState.ONLINE && executor.roundTrip !== undefined ? (
                  spanText(spanMsOf(executor.roundTrip) ?? 0)
                ) : (
                  <Ago time={executor.lastSeenTime} />
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
