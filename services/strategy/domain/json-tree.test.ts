import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonNode, readJsonTree, treeOf } from './json-tree.ts';

function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, node: member }) => [key, valueOf(member)]));
    case 'array':
      return node.items.map(valueOf);
    case 'string':
      return node.text;
    case 'null':
      return null;
    case 'boolean':
    case 'number':
      return node.value;
    default:
      return node satisfies never;
  }
}

test('a tree says what JSON.parse says, however the text is spaced', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('', ' ', '\t', '\n  '), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(valueOf(readJsonTree(text))).toEqual(JSON.parse(text));
      expect(valueOf(treeOf(value))).toEqual(value);
    }),
  );
});

test('a tree keeps what an object would lose', () => {
  const tree = readJsonTree('{"a": 1.50, "a": 2, "__proto__": {"b": 3}}');
  expect(tree).toEqual({
    kind: 'object',
    members: [
      { key: 'a', node: { kind: 'number', value: 1.5, source: '1.50' } },
      { key: 'a', node: { kind: 'number', value: 2, source: '2' } },
      {
        key: '__proto__',
        node: { kind: 'object', members: [{ key: 'b', node: { kind: 'number', value: 3, source: '3' } }] },
      },
    ],
  });
});

test('strings may hold what looks like structure', () => {
  const text = JSON.stringify({ 'a{"]:,\\': '}"[\\", 1e5 \u2028' });
  expect(valueOf(readJsonTree(text))).toEqual(JSON.parse(text));
});
