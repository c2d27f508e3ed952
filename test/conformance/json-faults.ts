import { type DescField, type JsonObject, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { type Fault, type FaultKind, INVALID } from './fault.ts';
import { joined, type Place, type Site, without, withValue } from './site.ts';

/** More than any list, map or text of a request may hold, and less than a message. */
const ENTRIES_TOO_MANY = 600;
const CHARS_TOO_MANY = 5_000;
const STRANGER = 'createdAt';
const NUL = '\u0000';

/** What JSON can say wrongly about a message as a whole. */
export function messageFaults({ desc, path, within, sample }: Place): Fault[] {
  const faults: Fault[] = [
    {
      kind: 'unknown',
      subject: desc.name,
      detail: STRANGER,
      body: { json: within({ ...sample(), [STRANGER]: 'now' }) },
      field: joined(path, STRANGER),
      code: INVALID,
    },
  ];
  for (const oneof of desc.oneofs) {
    const [first, second] = oneof.fields;
    if (first === undefined || second === undefined) continue;
    faults.push({
      kind: 'two cases',
      subject: `${desc.name}.${oneof.name}`,
      detail: `${first.name} and ${second.name}`,
      body: { json: within({ ...sample(), [first.jsonName]: {}, [second.jsonName]: {} }) },
      field: joined(path, second.name),
      code: INVALID,
    });
  }
  return faults;
}

/** What JSON can say wrongly about one field. */
export function fieldFaults(site: Site): Fault[] {
  const { field, path, within } = site;
  const sample = site.sample();
  const own = joined(path, field.name);
  const spoil = (kind: FaultKind, detail: string, message: JsonObject, at = own): Fault => ({
    kind,
    subject: `${site.desc.name}.${field.name}`,
    detail,
    body: { json: within(message) },
    field: at,
    code: INVALID,
  });
  const faults: Fault[] = [];
  if (sample[field.jsonName] !== undefined) {
    // Without its case a oneof as a whole is missing.
    const { name } = field.oneof ?? field;
    const fault = spoil('missing', 'left out', without(sample, field), joined(path, name));
    faults.push({ ...fault, subject: `${site.desc.name}.${name}` });
  }
  for (const typo of typosOf(field.jsonName)) {
    const value = sample[field.jsonName] ?? valueOf(field);
    faults.push(spoil('renamed', typo, { ...without(sample, field), [typo]: value }, joined(path, typo)));
  }
  for (const [kind, value] of wrongValues(field)) {
    faults.push(spoil(kind, shown(value), withValue(sample, field, value)));
  }
  const stranger = strangerOf(field);
  if (stranger !== undefined && sample[field.jsonName] !== undefined) {
    const fault = spoil('unknown name', stranger, withValue(sample, field, stranger));
    faults.push({ ...fault, field: undefined, code: Code.NotFound });
  }
  return faults;
}

/** A well-formed name or id that nothing has. */
function strangerOf(field: DescField): string | undefined {
  if (['executor', 'token', 'strategy', 'dataset', 'source'].includes(field.name)) return 'nobody';
  return field.name === 'id' ? '0190f3c1-2f7a-7000-8000-0123456789ab' : undefined;
}

/** "requestId" → "requestIdd", "RequestId", "REQUEST_ID". */
function typosOf(jsonName: string): string[] {
  const shouted = jsonName.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return [`${jsonName}${jsonName.slice(-1)}`, `${jsonName.slice(0, 1).toUpperCase()}${jsonName.slice(1)}`, shouted];
}

function valueOf(field: DescField): JsonValue {
  if (field.fieldKind === 'list') return [];
  return field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING ? 'x' : {};
}

type Wrong = readonly [FaultKind, JsonValue];

function wrongValues(field: DescField): Wrong[] {
  switch (field.fieldKind) {
    case 'list':
      return [
        ...mistyped('x', 7, {}),
        ['oversized', Array.from({ length: ENTRIES_TOO_MANY }, () => entryOf(field))],
        ...wrongSingles(field).map(([kind, value]): Wrong => [kind, [value]]),
      ];
    case 'map':
      return [
        ...mistyped('x', 7, []),
        ...mistyped({ key: 7 }, { key: {} }, { key: null }),
        ['oversized', Object.fromEntries(Array.from({ length: ENTRIES_TOO_MANY }, (_, at) => [`k${at}`, 'v']))],
        ['oversized', { ['k'.repeat(CHARS_TOO_MANY)]: 'v' }],
        ['oversized', { key: 'v'.repeat(CHARS_TOO_MANY) }],
        ['control characters', { [`a${NUL}b`]: 'v' }],
        ['control characters', { key: `a${NUL}b` }],
        ['control characters', { key: 'a\u0007b' }],
        ['control characters', { '': 'v' }],
      ];
    default:
      return wrongSingles(field);
  }
}

function entryOf(field: DescField): JsonValue {
  if (field.message !== undefined) return {};
  return field.enum === undefined ? 'ping' : (field.enum.values[1]?.name ?? 1);
}

/** What is wrong for one value of the field, or for one entry of it. */
function wrongSingles(field: DescField): Wrong[] {
  if (field.enum !== undefined) {
    const [zero] = field.enum.values;
    return [
      ...mistyped(true, {}, 1.5),
      ['misnamed enum', 'NO_SUCH_VALUE'],
      ['misnamed enum', field.enum.values[1]?.name.toLowerCase() ?? 'x'],
      ['wrong enum', 9_999],
      ['wrong enum', -1],
      ['unspecified', zero?.name ?? 0],
      ['unspecified', 0],
    ];
  }
  switch (field.message?.typeName) {
    case 'google.protobuf.Duration':
      return [
        ...mistyped(5, 'soon', '5', {}),
        ['bad span', '-1s'],
        ['bad span', '-0.5s'],
        ['bad span', '315576000000s'],
      ];
    case 'google.protobuf.Timestamp':
      return [
        ...mistyped(5, 'yesterday', '2024-13-01T00:00:00Z', {}),
        ['bad time', '0001-01-01T00:00:00Z'],
        ['bad time', '1999-01-01T00:00:00Z'],
        ['bad time', '9999-12-31T23:59:59Z'],
      ];
    case undefined:
      break;
    default:
      return mistyped('x', 7, []);
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return wrongTexts(field);
    case ScalarType.BOOL:
      return mistyped('true', 1, {});
    case ScalarType.INT64:
      return [
        ...mistyped('x', true, {}, 1.5, '9223372036854775808'),
        ['out of range', '-1'],
        ['out of range', '9223372036854775807'],
        ['out of range', '-9223372036854775808'],
      ];
    case ScalarType.DOUBLE:
      return [
        ...mistyped('x', true, {}),
        ['not finite', 'NaN'],
        ['not finite', 'Infinity'],
        ['not finite', '-Infinity'],
        ['out of range', -1],
        ['out of range', 1e300],
      ];
    case ScalarType.BYTES:
      return [
        ...mistyped(7, true, {}, [], 'a'),
        ['not a series', ''],
        ['not a series', 'AAAA'],
        ['not a series', 'H4sIAAAA'],
      ];
    default:
      return [
        ...mistyped('x', true, {}, 1.5, 2_147_483_648),
        ['out of range', -1],
        ['out of range', 2_147_483_647],
        ['out of range', -2_147_483_648],
      ];
  }
}

const DECIMAL_NAME = /(price|quantity|leverage|balance|_percent)$/;
const TOKEN_NAME = /^(page_token|cursor)$/;
/** Agents trade under names of their venues. */
const AGENTS_WORDS = /^strategos\.command\./;
const SYMBOL_NAME = /^symbols?$/;
const ID_NAME = /^(id|command_id)$/;

function wrongTexts({ name, parent }: DescField): Wrong[] {
  const wrong: Wrong[] = [
    ...mistyped(7, true, {}, []),
    ['oversized', 'x'.repeat(CHARS_TOO_MANY)],
    ['control characters', `a${NUL}b`],
    ['control characters', 'a\u0007b'],
    ['control characters', '\u202eb'],
    ['not UTF-8', 'a\ud800b'],
  ];
  if (DECIMAL_NAME.test(name)) {
    wrong.push(...['-1', '1e5', 'NaN', '1,5', '٣', '9'.repeat(60)].map((text): Wrong => ['not a decimal', text]));
  }
  if (TOKEN_NAME.test(name)) {
    wrong.push(...['junk', 'AQ', 'AQAAAAAAAAAAAAAA', '%%%'].map((text): Wrong => ['junk token', text]));
  }
  if (SYMBOL_NAME.test(name) && !AGENTS_WORDS.test(parent.typeName)) {
    wrong.push(...['BTC USDT', '_', 'é', 'X'.repeat(65)].map((text): Wrong => ['not a symbol', text]));
  }
  if (ID_NAME.test(name)) {
    wrong.push(
      ...['junk', '0190f3c1-2f7a', `${'0'.repeat(8)}-0000-0000-0000-00000000000g`].map(
        (text): Wrong => ['not an id', text],
      ),
    );
  }
  return wrong;
}

function mistyped(...values: readonly JsonValue[]): Wrong[] {
  return values.map((value): Wrong => ['mistyped', value]);
}

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
