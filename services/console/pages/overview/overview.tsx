import { useQuery } from '@connectrpc/connect-query';
import { CommandService } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { useQueryFields } from '../../address/address.ts';
import { Page } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useExecutors } from '../../stream/use-executors.ts';
import { CommandTrends } from './command-trends.tsx';
import { CommandsByState } from './commands-by-state.tsx';
import { FleetHealth } from './fleet-health.tsx';
import { KeyFigures } from './key-figures.tsx';
import { LatestHalt } from '../../halt/latest-halt.tsx';
import { MarketHealth } from './market-health.tsx';
import { RunningSessions } from './running-sessions.tsx';
import { StuckCommands } from './stuck-commands.tsx';

const LOOK_MS = 3_000;
const BUCKETS = 60;
/** Windows that can be looked at, in seconds. */
const WINDOWS = { '15m': 900, '1h': 3_600, '24h': 86_400, '7d': 604_800 } as const;
type WindowName = keyof typeof WINDOWS;

function isWindow(name: string): name is WindowName {
  return name in WINDOWS;
}

/** /: whether all is well, and where not. */
export default function Overview() {
  const [fields, setFields] = useQueryFields();
  const asked = fields.get('window') ?? '1h';
  const window = isWindow(asked) ? asked : '1h';
  const stats = useQuery(
    CommandService.method.getCommandStats,
    { window: { seconds: BigInt(WINDOWS[window]) }, bucketCount: BUCKETS },
    { refetchInterval: LOOK_MS, placeholderData: (before) => before },
  );
  const executors = useExecutors();
  return (
    <Page
      title="Overview"
      actions={
        <div className="chips" role="group" aria-label="Window">
          {Object.keys(WINDOWS).map((name) => (
            <button
              key={name}
              type="button"
              className="chip"
              aria-pressed={name === window}
              onClick={() => setFields({ window: name })}
            >
              {name}
            </button>
          ))}
        </div>
      }
    >
      <div className="stack">
        <LatestHalt />
        <Problem error={stats.error} what="The figures cannot be read" />
        <KeyFigures stats={stats.data} executors={executors} window={window} />
        <div className="columns">
          <CommandTrends stats={stats.data} windowSeconds={WINDOWS[window]} bucketCount={BUCKETS} />
          <StuckCommands />
          <CommandsByState stats={stats.data} />
          <FleetHealth executors={executors} />
          <RunningSessions />
          <MarketHealth />
        </div>
      </div>
    </Page>
  );
}
