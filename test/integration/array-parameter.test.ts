import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArrayElement, arrayParameter, type ElementType } from '../../services/command/store/array-parameter.ts';
import { rowTypes } from '../../services/command/store/types.ts';
import { createDatabase, type TestDatabase } from '../harness/database.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query("SET TIME ZONE 'UTC'");
});

afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});

/** What Postgres understands of each element. */
async function understood(type: ElementType, values: readonly ArrayElement[]): Promise<unknown[]> {
  const text = `SELECT v FROM unnest($1::${type}[]) WITH ORDINALITY AS u(v, at) ORDER BY at`;
  const { rows } = await client.query<{ v: unknown }>({
    text,
    values: [arrayParameter(type, values, (value) => value)],
    types: rowTypes,
  });
  return rows.map(({ v }) => v);
}

const LONG = 'a "long" text, with \\ and {braces}, '.repeat(40);
const LATE_MS = Date.UTC(9999, 11, 31);

const CASES: readonly { type: ElementType; values: readonly ArrayElement[] }[] = [
  { type: 'text', values: ['', 'NULL', 'a"b\\c', null, 'ÿ', '日本語 🚀', LONG, `${LONG}ü`, '\u0001'] },
  { type: 'bytea', values: [Buffer.from([0, 255, 92]), Buffer.alloc(0), null, Buffer.alloc(70_000, 7)] },
  { type: 'boolean', values: [true, false, null] },
  { type: 'smallint', values: [0, 1, -32_768, 32_767, null] },
  { type: 'integer', values: [0, -1, 2_147_483_647, -2_147_483_648, null] },
  { type: 'bigint', values: [0, -1, 1, 4_294_967_296, -4_294_967_297, Number.MAX_SAFE_INTEGER, null] },
  {
    type: 'timestamptz',
    values: [0, -1, 946_684_800_000, 1_763_726_400_123, LATE_MS, Infinity, -Infinity, null],
  },
  { type: 'uuid', values: ['01900000-abcd-7ef0-8123-456789abcdef', '00000000-0000-0000-0000-000000000000', null] },
];

test.each(CASES)('Postgres reads an array of $type as it was meant', async ({ type, values }) => {
  expect(await understood(type, values)).toEqual(values);
});

test('a time keeps its microseconds, an id may be in upper case', async () => {
  const { rows } = await client.query<{ micros: string }>({
    text: "SELECT to_char(($1::timestamptz[])[1], 'US') AS micros",
    values: [arrayParameter('timestamptz', [1_763_726_400_123.456], (value) => value)],
  });
  expect(rows).toEqual([{ micros: '123456' }]);
  expect(await understood('uuid', ['01900000-ABCD-7EF0-8123-456789ABCDEF'])).toEqual([
    '01900000-abcd-7ef0-8123-456789abcdef',
  ]);
});

test('as many elements as a statement has rows, with nulls among them', async () => {
  const values = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? null : `value ${i} ${'x'.repeat(i)}`));
  expect(await understood('text', values)).toEqual(values);
});
