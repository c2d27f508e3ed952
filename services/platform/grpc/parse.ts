import { type DescField, type DescMessage, isMessage, type MessageShape } from '@bufbuild/protobuf';
import { type FieldViolation, invalidFields } from '../errors.ts';

/** The fields of a message through which other messages are reached. */
interface Passages {
  readonly fields: readonly DescField[];
  readonly oneofs: readonly OneofPassage[];
}

interface OneofPassage {
  readonly name: string;
  /** By the name of the case. */
  readonly fields: ReadonlyMap<unknown, DescField>;
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
  if (!isKnown(schema, message)) visit(schema, message, '', violations);
  return violations;
}

/** The unknown fields of the message itself, leaving aside what is in it. */
export function ownUnknownFields<D extends DescMessage>(schema: D, message: MessageShape<D>): FieldViolation[] {
  return [...new Set(message.$unknown?.map((field) => field.no))].map((number) => unknownField(schema, '', number));
}

/** True when nothing in it is unknown. Looked at first: naming every field on the way cost a tenth of taking a frame. */
function isKnown(desc: DescMessage, message: unknown): boolean {
  if (!isMessage(message)) return true;
  if (message.$unknown !== undefined) return false;
  const { fields, oneofs } = passagesOf(desc);
  for (const field of fields) if (!isKnownIn(field, Reflect.get(message, field.localName))) return false;
  for (const { name, fields: cases } of oneofs) {
    const chosen: unknown = Reflect.get(message, name);
    if (typeof chosen !== 'object' || chosen === null) continue;
    const field = cases.get(Reflect.get(chosen, 'case'));
    if (field !== undefined && !isKnownIn(field, Reflect.get(chosen, 'value'))) return false;
  }
  return true;
}

function isKnownIn(field: DescField, value: unknown): boolean {
  const desc = field.message;
  if (desc === undefined || typeof value !== 'object' || value === null) return true;
  if (field.fieldKind === 'message') return isKnown(desc, value);
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const item of items) if (!isKnown(desc, item)) return false;
  return true;
}

function visit(desc: DescMessage, message: unknown, path: string, violations: FieldViolation[]): void {
  if (!isMessage(message)) return;
  if (message.$unknown !== undefined) {
    for (const number of new Set(message.$unknown.map((field) => field.no))) {
      violations.push(unknownField(desc, path, number));
    }
  }
  // Generated messages hold their fields as plain properties named `localName`.
  const passages = passagesOf(desc);
  for (const field of passages.fields) {
    visitField(field, Reflect.get(message, field.localName), join(path, field.name), violations);
  }
  for (const { name, fields: cases } of passages.oneofs) {
    const chosen: unknown = Reflect.get(message, name);
    if (typeof chosen !== 'object' || chosen === null) continue;
    const field = cases.get(Reflect.get(chosen, 'case'));
    if (field !== undefined) visitField(field, Reflect.get(chosen, 'value'), join(path, field.name), violations);
  }
}

function unknownField(desc: DescMessage, path: string, number: number): FieldViolation {
  return {
    field: join(path, `#${number}`),
    description: `field number ${number} is not known in ${desc.typeName}`,
  };
}

function visitField(field: DescField, value: unknown, path: string, violations: FieldViolation[]): void {
  const desc = field.message;
  if (desc === undefined || typeof value !== 'object' || value === null) return;
  if (field.fieldKind === 'message') visit(desc, value, path, violations);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(desc, item, `${path}[${index}]`, violations);
  } else {
    for (const [key, item] of Object.entries(value)) visit(desc, item, `${path}["${key}"]`, violations);
  }
}

function passagesOf(desc: DescMessage): Passages {
  const known = passagesByDesc.get(desc);
  if (known !== undefined) return known;
  const passages: Passages = {
    fields: desc.fields.filter((field) => field.oneof === undefined && field.message !== undefined),
    oneofs: desc.oneofs
      .filter((oneof) => oneof.fields.some((field) => field.fieldKind === 'message'))
      .map(({ localName, fields }) => ({ name: localName, fields: new Map(fields.map((f) => [f.localName, f])) })),
  };
  passagesByDesc.set(desc, passages);
  return passages;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
