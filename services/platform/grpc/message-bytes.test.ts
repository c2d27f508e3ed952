import { create, toBinary } from '@bufbuild/protobuf';
import { StructSchema, ValueSchema } from '@bufbuild/protobuf/wkt';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageBytes } from './message-bytes.ts';

const written = new MessageBytes();

/** Lists within lists, and texts of lengths that take one, two and three bytes. */
const nested = fc.letrec<{ value: Nested }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(0, 1, 120, 127, 128, 200, 16_380, 16_384, 20_000).map((length) => 'é'.repeat(length)),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}));

type Nested = string | Nested[];

function put(value: Nested): void {
  if (typeof value === 'string') {
    // In a oneof the empty text is written too.
    if (value === '') written.message(ValueSchema.field.stringValue.number, new Uint8Array());
    else written.text(ValueSchema.field.stringValue.number, value);
    return;
  }
  const list = written.open(ValueSchema.field.listValue.number);
  for (const item of value) {
    const start = written.open(1);
    put(item);
    written.close(start);
  }
  written.close(list);
}

function byGeneratedCode(value: Nested): ReturnType<typeof create<typeof ValueSchema>> {
  if (typeof value === 'string') return create(ValueSchema, { kind: { case: 'stringValue', value } });
  return create(ValueSchema, { kind: { case: 'listValue', value: { values: value.map(byGeneratedCode) } } });
}

test('messages within messages are what the generated code makes of them, whatever bytes their lengths take', () => {
  fc.assert(
    fc.property(nested.value, (value) => {
      written.begin();
      put(value);
      expect(written.take().equals(toBinary(ValueSchema, byGeneratedCode(value)))).toBe(true);
    }),
  );
});

test('what is begun anew forgets what was written before, and a message may be empty', () => {
  written.begin();
  written.text(1, 'left behind');
  written.begin();
  written.close(written.open(StructSchema.field.fields.number));
  expect([...written.take()]).toEqual([0x0a, 0]);
});

test('a number that no int64 of this release holds is refused', () => {
  written.begin();
  expect(() => written.whole(3, -1)).toThrow('field 3: -1 cannot be written');
  expect(() => written.whole(3, 2 ** 53)).toThrow('field 3');
});
