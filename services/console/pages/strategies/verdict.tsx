import { Mark } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import type { Editing } from './use-editing.ts';

/** What the strategy service says of the draft, at every keystroke. */
export function Verdict({ editing: { verdict, error } }: { readonly editing: Editing }) {
  const faults = verdict?.faults.filter(({ warning }) => !warning) ?? [];
  const warnings = verdict?.faults.filter(({ warning }) => warning) ?? [];
  return (
    <Panel title="Verdict">
      <div className="body" aria-live="polite">
        <Problem error={error} what="The draft cannot be judged" />
        {verdict === undefined ? (
          error === null && <p className="quiet">Judging …</p>
        ) : (
          <p>
            {verdict.valid ? (
              <Mark tone="good">valid, can be saved</Mark>
            ) : (
              <Mark tone="bad">{faults.length} to put right</Mark>
            )}
          </p>
        )}
      </div>
      {faults.length + warnings.length > 0 && (
        <ul className="plain-list">
          {[...faults, ...warnings].map(({ field, description, warning }) => (
            <li key={`${field} ${description}`}>
              <p className="row">
                <Mark tone={warning ? 'warn' : 'bad'}>{warning ? 'warning' : 'fault'}</Mark> <code>{field}</code>
              </p>
              <p>{description}</p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
