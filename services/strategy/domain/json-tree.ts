/** A JSON text with what JSON.parse would hide: keys given twice, and numbers as they were written. */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly source: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' };

export interface JsonMember {
  readonly key: string;
  readonly node: JsonNode;
}

/** Deeper than any definition, and far from the end of the stack. */
const DEPTH_MAX = 32;
/** Of text that JSON.parse has accepted: strings, punctuation, and words (numbers, true, false, null). */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** @throws Error in a sentence, with line and column where they are known, for a text that is not JSON. */
export function readJsonTree(text: string): JsonNode {
  check(text);
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const take = (): string => tokens[at++] ?? '';
  const value = (depth: number): JsonNode => {
    if (depth > DEPTH_MAX) throw new Error(`is nested deeper than ${DEPTH_MAX} levels`);
    const token = take();
    if (token === '{') {
      const members: JsonMember[] = [];
      while (tokens[at] !== '}') {
        if (tokens[at] === ',') at += 1;
        const key = stringOf(take());
        at += 1;
        members.push({ key, node: value(depth + 1) });
      }
      at += 1;
      return { kind: 'object', members };
    }
    if (token === '[') {
      const items: JsonNode[] = [];
      while (tokens[at] !== ']') {
        if (tokens[at] === ',') at += 1;
        items.push(value(depth + 1));
      }
      at += 1;
      return { kind: 'array', items };
    }
    if (token.startsWith('"')) return { kind: 'string', text: stringOf(token) };
    if (token === 'true' || token === 'false') return { kind: 'boolean', value: token === 'true' };
    if (token === 'null') return { kind: 'null' };
    return { kind: 'number', value: Number(token), source: token };
  };
  return value(0);
}

/** Plain values as a tree: for definitions that come as messages. Undefined members are left out. */
export function treeOf(value: unknown): JsonNode {
  if (typeof value === 'string') return { kind: 'string', text: value };
  if (typeof value === 'number') return { kind: 'number', value, source: String(value) };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (Array.isArray(value)) return { kind: 'array', items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return { kind: 'null' };
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return { kind: 'object', members: members.map(([key, member]) => ({ key, node: treeOf(member) })) };
}

function check(text: string): void {
  try {
    JSON.parse(text);
  } catch (thrown) {
    if (text.trim() === '') throw new Error('is empty; write a strategy in the JSON form', { cause: thrown });
    throw new Error(`is not JSON: ${whereOf(thrown, text)}`, { cause: thrown });
  }
}

/** V8's own words quote the text; the place says more in fewer. */
function whereOf(thrown: unknown, text: string): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return `what stands at ${lineAndColumn(text, Number(position))} cannot be read`;
  const token = /^Unexpected token (.{1,4}?), /s.exec(message)?.[1];
  return token === undefined ? 'it ends too early' : `${token.toWellFormed()} stands where it cannot be read`;
}

function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function stringOf(token: string): string {
  const text: unknown = JSON.parse(token);
  return typeof text === 'string' ? text : '';
}
