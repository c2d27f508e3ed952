import type { DescField, DescMessage, DescOneof, Message, MessageShape } from '@bufbuild/protobuf';
import { type FieldViolation, invalidFields } from '../errors.ts';

/** The fields of a message through which other messages are reached. */
interface Passages {
  readonly fields: readonly (DescField & { readonly message: DescMessage })[];
  readonly oneofs: readonly DescOneof[];
}

const passagesByDesc = new WeakMap<DescMessage, Passages>();

/**
 * Refuses a request that carries fields this release does not know: the caller meant something that would not happen.
 * @throws INVALID_ARGUMENT with one violation for each unknown field, naming its number and where it stands.
 */
export function refuseUnknownFields<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const violations = unknownFields(schema, message);
  if (violations.length > 0) throw invalidFields(violations);
}

/** The unknown fields of a message and of everything in it; empty when there are none. */
export function unknownFields<D extends DescMessage>(schema: D, message: MessageShape<D>): FieldViolation[] {
  const violations: FieldViolation[] = [];
  visit(schema, message, '', violations);
  return violations;
}

function visit(desc: DescMessage, message: Message, path: string, violations: FieldViolation[]): void {
  if (message.$unknown !== undefined) {
    for (const number of new Set(message.$unknown.map((field) => field.no))) {
      violations.push({
        field: join(path, `#${number}`),
        description: `field number ${number} is not known in ${desc.typeName}`,
      });
    }
  }
  const passages = passagesOf(desc);
  // Generated messages hold their fields as plain properties named `localName`.
  const properties = message as unknown as Readonly<Record<string, unknown>>;
  for (const field of passages.fields) {
    const value = properties[field.localName];
    if (value !== undefined) visitField(field, field.message, value, join(path, field.name), violations);
  }
  for (const oneof of passages.oneofs) {
    const chosen = properties[oneof.localName] as { readonly case?: string; readonly value?: unknown } | undefined;
    const field = oneof.fields.find((candidate) => candidate.localName === chosen?.case);
    if (field?.fieldKind === 'message') {
      visit(field.message, chosen?.value as Message, join(path, field.name), violations);
    }
  }
}

function visitField(
  field: DescField,
  desc: DescMessage,
  value: unknown,
  path: string,
  violations: FieldViolation[],
): void {
  switch (field.fieldKind) {
    case 'message':
      visit(desc, value as Message, path, violations);
      break;
    case 'list':
      (value as readonly Message[]).forEach((item, index) => visit(desc, item, `${path}[${index}]`, violations));
      break;
    case 'map':
      for (const [key, item] of Object.entries(value as Readonly<Record<string, Message>>)) {
        visit(desc, item, `${path}["${key}"]`, violations);
      }
      break;
    case 'scalar':
    case 'enum':
      break;
    default:
      field satisfies never;
  }
}

function passagesOf(desc: DescMessage): Passages {
  const known = passagesByDesc.get(desc);
  if (known !== undefined) return known;
  const passages: Passages = {
    fields: desc.fields.filter(
      (field): field is DescField & { message: DescMessage } =>
        field.oneof === undefined && field.message !== undefined,
    ),
    oneofs: desc.oneofs.filter((oneof) => oneof.fields.some((field) => field.fieldKind === 'message')),
  };
  passagesByDesc.set(desc, passages);
  return passages;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
