import { CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { KINDS } from '../../parts/command-kind.ts';
import { COMMAND_STATES, commandStateText } from '../../parts/command-state.tsx';
import { useExecutorNames } from '../../stream/use-executor-names.ts';

/** What the list is narrowed to; kept in the address, so that a link to it shows the same. */
export function CommandFilters({
  executor,
  states,
  kinds,
  onChange,
}: {
  readonly executor: string;
  readonly states: readonly string[];
  readonly kinds: readonly string[];
  readonly onChange: (fields: Readonly<Record<string, string>>) => void;
}) {
  const names = useExecutorNames();
  return (
    <div className="filters">
      <div className="field">
        <label htmlFor="filter-executor">Executor</label>
        <select id="filter-executor" value={executor} onChange={(event) => onChange({ executor: event.target.value })}>
          <option value="">all</option>
          {[...new Set([...names, ...(executor === '' ? [] : [executor])])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor="filter-kind">Kind</label>
        <select id="filter-kind" value={kinds.join(',')} onChange={(event) => onChange({ kind: event.target.value })}>
          <option value="">all</option>
          {[...new Set([...KINDS, ...(kinds.length > 1 ? [kinds.join(',')] : [])])].map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </div>
      <fieldset className="field bare">
        <legend>State</legend>
        <div className="chips">
          {COMMAND_STATES.map((state) => {
            const name = CommandState[state] ?? '';
            const chosen = states.includes(name);
            const next = chosen ? states.filter((each) => each !== name) : [...states, name];
            return (
              <button
                key={name}
                type="button"
                className="chip"
                aria-pressed={chosen}
                onClick={() => onChange({ state: next.join(',') })}
              >
                {commandStateText(state)}
              </button>
            );
          })}
        </div>
      </fieldset>
      {(executor !== '' || states.length > 0 || kinds.length > 0) && (
        <button type="button" className="button small" onClick={() => onChange({ executor: '', state: '', kind: '' })}>
          Clear
        </button>
      )}
    </div>
  );
}
