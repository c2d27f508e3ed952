import { type DescField, type Message, toJson } from '@bufbuild/protobuf';
import { schemaOf } from './message-schema.ts';

/** The fields of a message that are set, by their names in the proto. */
export function MessageFacts({ message }: { readonly message: Message }) {
  const schema = schemaOf(message);
  const json: unknown = schema === undefined ? {} : toJson(schema, message, { useProtoFieldName: true });
  const rows = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  if (rows.length === 0) return <p className="nothing">Nothing is set.</p>;
  return (
    <dl className="facts">
      {rows.map(([name, value]: [DescField['name'], unknown]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {typeof value === 'object' ? (
              <pre className="block">{JSON.stringify(value, null, 2)}</pre>
            ) : (
              scalarText(value)
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
