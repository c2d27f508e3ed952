import { CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import type { GetCommandStatsResponse } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Link } from '../../address/link.tsx';
import { CommandMark, toneOf } from '../../parts/command-state.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';

/** How many commands are in which state, each with a way to them. */
export function CommandsByState({ stats }: { readonly stats: GetCommandStatsResponse | undefined }) {
  const states = stats?.states ?? [];
  const total = Number(stats?.count ?? 0n);
  return (
    <Panel title="Commands by state" className="third">
      {states.length === 0 ? (
        <Nothing>{stats === undefined ? 'Loading …' : 'No commands in this window.'}</Nothing>
      ) : (
        <ul className="plain-list">
          {states.map(({ state, count }) => (
            <li key={state}>
              <p className="row apart">
                <Link href={`/commands?state=${CommandState[state] ?? ''}`} className="plain">
                  <CommandMark state={state} />
                </Link>
                <span>{String(count)}</span>
              </p>
              <span className="bar" aria-hidden="true">
                <span
                  className={`fill ${toneOf(state)}`}
                  style={{ width: `${(100 * Number(count)) / Math.max(1, total)}%` }}
                />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
