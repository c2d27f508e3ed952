import type { Halt } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { Link } from '../address/link.tsx';
import { Mark } from '../parts/mark.tsx';
import { Ago } from '../parts/moment.tsx';
import { Nothing } from '../parts/page.tsx';

/** Who has confirmed a stop, and what is awaited from whom. */
export function Acknowledgements({ halt }: { readonly halt: Halt }) {
  if (halt.acknowledgements.length === 0) return <Nothing>No executor was in its scope.</Nothing>;
  return (
    <ul className="plain-list" aria-live="polite" aria-label="Acknowledgements">
      {halt.acknowledgements.map((each) => (
        <li key={each.executorId}>
          <p className="row apart">
            <span className="row">
              {each.flat ? (
                <Mark tone="good">confirmed</Mark>
              ) : each.giveUpTime !== undefined ? (
                <Mark tone="bad">given up</Mark>
              ) : (
                <Mark tone={each.connected ? 'busy' : 'bad'}>{each.connected ? 'asked' : 'away'}</Mark>
              )}
              <strong>{each.executorName}</strong>
            </span>
            <span className="quiet">
              {each.acknowledgeTime !== undefined && <Ago time={each.acknowledgeTime} />}
              {each.giveUpTime !== undefined && <Ago time={each.giveUpTime} />}{' '}
              {each.commandId !== '' && <Link href={`/commands/${each.commandId}`}>command</Link>}
            </span>
          </p>
          {each.note !== '' && <p className="quiet">{each.note}</p>}
        </li>
      ))}
    </ul>
  );
}
