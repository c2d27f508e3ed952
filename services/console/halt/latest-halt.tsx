import { Ago } from '../parts/moment.tsx';
import { Panel } from '../parts/page.tsx';
import { msOf, useNow } from '../parts/time.ts';
import { Acknowledgements } from './acknowledgements.tsx';
import { useNewestHalt } from './newest-halt.ts';

/** One that is complete is shown for this long. */
const SHOWN_MS = 10 * 60_000;

/** The newest use of the kill switch, while somebody has not confirmed it and a while after. */
export function LatestHalt() {
  const now = useNow();
  const halt = useNewestHalt('reads');
  if (halt === undefined || (halt.complete && now - (msOf(halt.createTime) ?? 0) > SHOWN_MS)) return null;
  return (
    <Panel title={halt.complete ? 'Kill switch: everybody has confirmed' : 'Kill switch: not everybody has confirmed'}>
      <p className="body quiet">
        Pulled by {halt.author} <Ago time={halt.createTime} />,{' '}
        {halt.closePositions ? 'closing positions' : 'leaving positions open'}.
      </p>
      <Acknowledgements halt={halt} />
    </Panel>
  );
}
