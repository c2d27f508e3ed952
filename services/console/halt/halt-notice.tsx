import { Link } from '../address/link.tsx';
import { Ago } from '../parts/moment.tsx';
import { useNewestHalt } from './newest-halt.ts';

/** Says on every page that a kill switch is under way; the overview, which shows all of it, says it by itself. */
export function HaltNotice({ onOverview }: { readonly onOverview: boolean }) {
  const halt = useNewestHalt('looks');
  const underWay = halt !== undefined && !halt.over && !onOverview;
  const confirmed = halt?.acknowledgements.filter(({ flat }) => flat).length ?? 0;
  return (
    <div role="status" className="link-notice">
      {underWay && (
        <p>
          Kill switch under way, pulled by {halt.author} <Ago time={halt.createTime} />: {confirmed} of{' '}
          {halt.acknowledgements.length} {halt.acknowledgements.length === 1 ? 'executor has' : 'executors have'}{' '}
          confirmed. <Link href="/">Who has, and who has not</Link>
        </p>
      )}
    </div>
  );
}
