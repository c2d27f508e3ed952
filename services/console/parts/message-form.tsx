import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { useId } from 'react';

/**
 * A form built from a message's descriptor. What is typed is kept as the message's JSON form, where a field that was left empty is
 * absent; so the form never needs to know which messages there are.
 */
export function MessageForm({
  schema,
  value,
  onChange,
  leaveOut = [],
}: {
  readonly schema: DescMessage;
  readonly value: JsonObject;
  readonly onChange: (value: JsonObject) => void;
  /** Names of fields that are asked for elsewhere. */
  readonly leaveOut?: readonly string[];
}) {
  const fields = schema.fields.filter(({ name }) => !leaveOut.includes(name));
  if (fields.length === 0) return <p className="quiet">There is nothing to fill in.</p>;
  return (
    <div className="fields">
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={value[field.name]}
          onChange={(next) => {
            const { [field.name]: _, ...others } = value;
            onChange(next === undefined ? others : { ...others, [field.name]: next });
          }}
        />
      ))}
    </div>
  );
}

type Change = (value: JsonValue | undefined) => void;

function Field({
  field,
  value,
  onChange,
}: {
  readonly field: DescField;
  readonly value: JsonValue | undefined;
  readonly onChange: Change;
}) {
  const id = useId();
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (field.fieldKind === 'message' && !isTextual(field.message)) {
    return (
      <fieldset style={{ gridColumn: '1 / -1' }}>
        <legend>{field.name}</legend>
        <MessageForm
          schema={field.message}
          value={isObject(value) ? value : {}}
          onChange={(next) => onChange(Object.keys(next).length === 0 ? undefined : next)}
        />
      </fieldset>
    );
  }
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.BOOL) {
    return (
      <div className="field check">
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.target.checked || undefined)}
        />
        <label htmlFor={id}>{field.name}</label>
      </div>
    );
  }
  if (field.fieldKind === 'enum') {
    return (
      <div className="field">
        <label htmlFor={id}>{field.name}</label>
        <select
          id={id}
          value={text}
          onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
        >
          <option value="">–</option>
          {field.enum.values
            .filter(({ number }) => number !== 0)
            .map(({ name, localName }) => (
              <option key={name} value={name}>
                {localName.toLowerCase()}
              </option>
            ))}
        </select>
      </div>
    );
  }
  const isList = field.fieldKind === 'list';
  const shown =
    isList && Array.isArray(value)
      ? value.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(', ')
      : text;
  const read = (typed: string): JsonValue | undefined => {
    if (typed === '') return undefined;
    return isList ? typed.split(',').map((each) => each.trim()) : typed;
  };
  return (
    <div className="field">
      <label htmlFor={id}>{field.name}</label>
      <input
        id={id}
        value={shown}
        onChange={(event) => onChange(read(event.target.value))}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}-help`}
      />
      <span className="help" id={`${id}-help`}>
        {helpOf(field)}
      </span>
    </div>
  );
}

function helpOf(field: DescField): string {
  if (field.fieldKind === 'list') return 'several, separated by commas';
  if (field.fieldKind === 'message')
    return field.message.typeName.endsWith('Duration') ? 'such as 90s' : 'such as 2026-01-31T12:00:00Z';
  if (field.fieldKind === 'scalar' && field.scalar !== ScalarType.STRING) return 'a number';
  return 'text';
}

/** Messages whose JSON form is a text. */
function isTextual({ typeName }: DescMessage): boolean {
  return typeName === 'google.protobuf.Duration' || typeName === 'google.protobuf.Timestamp';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
