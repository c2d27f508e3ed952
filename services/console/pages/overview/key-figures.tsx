import { CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import type { GetCommandStatsResponse } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { type Executor, ExecutorState } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { isTerminal } from '../../parts/command-state.tsx';
import { percentText } from '../../parts/number.ts';
import { spanText } from '../../parts/time.ts';

/** The figures that are looked at first. */
export function KeyFigures({
  stats,
  executors,
  window,
}: {
  readonly stats: GetCommandStatsResponse | undefined;
  readonly executors: readonly Executor[] | undefined;
  readonly window: string;
}) {
  const expected = executors?.filter(({ state }) => state !== ExecutorState.DISABLED) ?? [];
  const online = expected.filter(({ state }) => state === ExecutorState.ONLINE);
  const finished = stats?.acceptedToFinished;
  const open = (stats?.states ?? [])
    .filter(({ state }) => state < CommandState.SUCCEEDED)
    .reduce((sum, { count }) => sum + count, 0n);
  const tried = (stats?.states ?? [])
    .filter(({ state }) => isTerminal(state) && state !== CommandState.CANCELLED)
    .reduce((sum, { count }) => sum + count, 0n);
  return (
    <div className="figures">
      <Figure
        name="Executors online"
        value={executors === undefined ? '…' : `${online.length} of ${expected.length}`}
        note={awayText(executors === undefined, expected.length - online.length)}
      />
      <Figure name="Commands" value={String(stats?.count ?? '…')} note={`created in ${window}`} />
      <Figure
        name="Success rate"
        value={stats === undefined ? '…' : tried === 0n ? '–' : percentText(stats.successRate)}
        note="of those that ended, cancelled ones left out"
      />
      <Figure
        name="p95 to the end"
        value={finished === undefined ? '–' : spanText(finished.p95Ms)}
        note={
          finished === undefined
            ? 'nothing has ended'
            : `p50 ${spanText(finished.p50Ms)}, p99 ${spanText(finished.p99Ms)}`
        }
      />
      <Figure name="Under way" value={stats === undefined ? '…' : String(open)} note="not at their end yet" />
    </div>
  );
}

function awayText(unknown: boolean, away: number): string {
  if (unknown) return 'not known yet';
  return away === 0 ? 'all that are enabled' : `${away} away`;
}

function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }) {
  return (
    <div className="figure">
      <p className="name">{name}</p>
      <p className="value">{value}</p>
      <p className="note">{note}</p>
    </div>
  );
}
