import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { useId } from 'react';
import { Panel } from '../../parts/page.tsx';
import { ConditionRow, IndicatorNames } from './condition-row.tsx';
import { conditionsOf, type Draft, newConditionId, SECTIONS, valueAt, withValue } from './draft.ts';
import type { Editing } from './use-editing.ts';

/** The five sections as a form. */
export function Builder({ editing, readOnly }: { readonly editing: Editing; readonly readOnly: boolean }) {
  const { draft, setDraft, verdict } = editing;
  const faultAt = (path: string): string => verdict?.faults.find(({ field }) => field === path)?.description ?? '';
  return (
    <fieldset className="bare stack" disabled={readOnly}>
      <legend className="unseen">Strategy</legend>
      <IndicatorNames />
      <Panel title="Strategy">
        <div className="fields body">
          <Text
            draft={draft}
            path={['strategy_name']}
            label="Name"
            onChange={setDraft}
            fault={faultAt('strategy_name')}
          />
          <Text
            draft={draft}
            path={['description']}
            label="Description"
            onChange={setDraft}
            fault={faultAt('description')}
          />
        </div>
      </Panel>
      {SECTIONS.map(({ name, title, about }) => (
        <Panel key={name} title={title}>
          <div className="body">
            <p className="quiet">{about}</p>
            <Conditions draft={draft} section={name} onChange={setDraft} faults={verdict?.faults ?? []} />
            <SectionFields section={name} draft={draft} onChange={setDraft} faultAt={faultAt} />
          </div>
        </Panel>
      ))}
      <Panel title="Global limits">
        <div className="fields body">
          <Quantity
            draft={draft}
            path={['global_limits', 'base_position_pct']}
            label="Base position (fraction of equity)"
            onChange={setDraft}
            faultAt={faultAt}
          />
          <Quantity
            draft={draft}
            path={['global_limits', 'max_leverage']}
            label="Largest leverage"
            onChange={setDraft}
            faultAt={faultAt}
          />
          <Quantity
            draft={draft}
            path={['global_limits', 'stop_loss_buffer_pct']}
            label="Stop loss buffer (%)"
            onChange={setDraft}
            faultAt={faultAt}
          />
        </div>
      </Panel>
    </fieldset>
  );
}

function Conditions({
  draft,
  section,
  onChange,
  faults,
}: {
  readonly draft: Draft;
  readonly section: string;
  readonly onChange: (draft: Draft) => void;
  readonly faults: readonly { readonly field: string; readonly description: string }[];
}) {
  const conditions = conditionsOf(draft, section);
  const put = (next: readonly JsonObject[]): void => onChange(withValue(draft, [section, 'conditions'], [...next]));
  return (
    <>
      {conditions.map((condition, index) => (
        <ConditionRow
          // Rows have no other name: an id may be typed over.
          key={`${section} ${index}`}
          label={`${section} condition ${index + 1}`}
          condition={condition}
          faults={faults.filter(({ field }) => field.startsWith(`${section}.conditions[${index}]`))}
          onChange={(next) => put(conditions.map((each, at) => (at === index ? next : each)))}
          onRemove={() => put(conditions.filter((_, at) => at !== index))}
        />
      ))}
      {conditions.length === 0 && <p className="quiet">No conditions: this section never fires by itself.</p>}
      <p>
        <button
          type="button"
          className="button small"
          onClick={() => put([...conditions, { id: newConditionId(draft), indicatorId: '', operator: '>=', value: 0 }])}
        >
          Add a condition to {section}
        </button>
      </p>
    </>
  );
}

interface FieldProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly faultAt: (path: string) => string;
}

function SectionFields({ section, ...rest }: FieldProps & { readonly section: string }) {
  const { draft, onChange } = rest;
  if (section === 'o1_cancel') {
    return (
      <div className="fields">
        <Quantity {...rest} path={['o1_cancel', 'timeoutSeconds']} label="Timeout (s)" />
        <Quantity {...rest} path={['o1_cancel', 'cooldownMinutes']} label="Cooldown (min)" />
      </div>
    );
  }
  if (section === 'emergency_exit') {
    return (
      <div className="fields">
        <Quantity {...rest} path={['emergency_exit', 'cooldownMinutes']} label="Cooldown (min)" />
        <Check
          {...rest}
          path={['emergency_exit', 'actions', 'cancelPending']}
          label="Gives up signals and entries"
          unset
        />
        <Check {...rest} path={['emergency_exit', 'actions', 'closePosition']} label="Closes positions" unset />
      </div>
    );
  }
  if (section !== 'z1_entry') return null;
  const sizeType = valueAt(draft, ['z1_entry', 'positionSize', 'type']);
  return (
    <div className="fields">
      <div className="field">
        <label htmlFor="size-type">Size</label>
        <select
          id="size-type"
          value={typeof sizeType === 'string' ? sizeType : ''}
          onChange={({ target: { value } }) =>
            onChange(
              value === ''
                ? withValue(draft, ['z1_entry', 'positionSize'], undefined)
                : withValue(draft, ['z1_entry', 'positionSize', 'type'], value),
            )
          }
        >
          <option value="">base position of the limits</option>
          <option value="percentage">percent of equity</option>
          <option value="fixed">fixed amount</option>
        </select>
      </div>
      {typeof sizeType === 'string' && (
        <Quantity
          {...rest}
          path={['z1_entry', 'positionSize', 'value']}
          label={sizeType === 'fixed' ? 'Amount' : 'Percent'}
        />
      )}
      <Quantity {...rest} path={['z1_entry', 'leverage']} label="Leverage" />
      {(['stopLoss', 'takeProfit'] as const).map((name) => (
        <div key={name} className="field">
          <Check
            {...rest}
            path={['z1_entry', name, 'enabled']}
            label={name === 'stopLoss' ? 'Stop loss' : 'Take profit'}
          />
          <Quantity
            {...rest}
            path={['z1_entry', name, 'offsetPercent']}
            label={`${name === 'stopLoss' ? 'Stop loss' : 'Take profit'} offset (%)`}
          />
        </div>
      ))}
    </div>
  );
}

function Text({
  draft,
  path,
  label,
  onChange,
  fault,
}: {
  readonly draft: Draft;
  readonly path: readonly string[];
  readonly label: string;
  readonly onChange: (draft: Draft) => void;
  readonly fault: string;
}) {
  const id = useId();
  const value = valueAt(draft, path);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={typeof value === 'string' ? value : ''}
        aria-invalid={fault !== ''}
        onChange={(event) =>
          onChange(
            withValue(
              draft,
              path,
              event.target.value === '' && path[0] === 'description' ? undefined : event.target.value,
            ),
          )
        }
      />
      <span className="help fault">{fault}</span>
    </div>
  );
}

function Quantity({
  draft,
  path,
  label,
  onChange,
  faultAt,
}: FieldProps & { readonly path: readonly string[]; readonly label: string }) {
  const id = useId();
  const value = valueAt(draft, path);
  const fault = faultAt(path.join('.'));
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="number"
        step="any"
        value={shownNumber(value)}
        aria-invalid={fault !== ''}
        onChange={({ target }) =>
          onChange(withValue(draft, path, target.value === '' ? undefined : target.valueAsNumber))
        }
      />
      <span className="help fault">{fault}</span>
    </div>
  );
}

function Check({
  draft,
  path,
  label,
  onChange,
  unset = false,
}: FieldProps & {
  readonly path: readonly string[];
  readonly label: string;
  /** What its absence means. */
  readonly unset?: boolean;
}) {
  const id = useId();
  const value = valueAt(draft, path);
  return (
    <div className="field check">
      <input
        id={id}
        type="checkbox"
        checked={typeof value === 'boolean' ? value : unset}
        onChange={(event) => onChange(withValue(draft, path, event.target.checked))}
      />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}

function shownNumber(value: JsonValue | undefined): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}
