import { type DescMessage, fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type Finding, REMEDY } from '../gate/finding.ts';
import { messageOf } from '../../services/platform/errors.ts';
import { messageIn, type Schema } from '../schema/image.ts';
import type { Candidate, SaidFrame } from './candidate.ts';
import { FRAMES, type GoldenFrame, isObject } from './frame.ts';

/** A release, as far as bytes are concerned. */
export interface GoldenRelease {
  readonly version: string;
  readonly schema: Schema;
  readonly golden: readonly GoldenFrame[];
  /** What the release's executor reads of each frame of the platform, by its name. */
  readonly needs: ReadonlyMap<string, JsonValue>;
}

/** Texts for people, and facts of the build: they may change at any time. */
const FREE = new Set([
  'reason',
  'message',
  'summary',
  'agentVersion',
  'contractDigest',
  'platformVersion',
  'platform',
  'host',
]);
/** May grow. */
const GROWING = new Set(['kinds']);
const DURATION = /^\d+(?:\.\d{1,9})?s$/;
/** A span may become so many times as long or as short: another pace, and not another unit. */
const SPAN_FACTOR_MAX = 100;
/** How a new build says a frame that an older one said, when it does not say it as that one did any more. */
const UNSAID = 'this build says no such frame';

/**
 * Both ways: the candidate reads the release's bytes as what they meant, and the release reads the candidate's bytes and finds
 * everything that it needs.
 */
export function checkGolden(candidate: Candidate, release: GoldenRelease): Finding[] {
  const today = new Map(candidate.frames.map((frame) => [frame.name, frame]));
  return release.golden.flatMap((golden) => [
    ...yesterdaysBytes(golden, candidate, release),
    ...todaysBytes(golden, today.get(golden.name), release),
  ]);
}

function yesterdaysBytes(golden: GoldenFrame, { schema }: Candidate, { version }: GoldenRelease): Finding[] {
  const read = (): JsonValue => decode(schema, golden, Buffer.from(golden.bytes, 'base64'));
  const consumer =
    golden.from === 'executor' ? `platform, of executors ${version}` : `executor, of its ${version} journal`;
  return differences(read, golden.json, { strict: true }).map(({ path, what }) => ({
    check: 'golden bytes, read',
    consumer,
    place: golden.name,
    field: path,
    what: `bytes of ${version} are read as something else: ${what}`,
    remedy: REMEDY.keep,
  }));
}

function todaysBytes(golden: GoldenFrame, said: SaidFrame | undefined, release: GoldenRelease): Finding[] {
  // Of a body everything is needed: it is a frame that has its own pact, or a few facts beside it.
  const isWhole = golden.from === 'executor' || golden.type !== undefined;
  const needed = isWhole ? golden.json : release.needs.get(golden.name);
  if (needed === undefined) return [];
  const read = (): JsonValue => {
    if (said === undefined) throw new Error(UNSAID);
    return decode(release.schema, golden, said.bytes);
  };
  const side = golden.from === 'platform' ? 'executor' : 'platform';
  return differences(read, needed, { strict: false }).map(({ path, what }) => ({
    check: 'golden bytes, said',
    consumer: `${side} ${release.version}`,
    place: golden.name,
    field: path,
    what: `with the descriptors of ${release.version}: ${what}`,
    remedy: golden.from === 'platform' ? REMEDY.send : REMEDY.keep,
  }));
}

function decode(schema: Schema, { from, type }: GoldenFrame, bytes: Uint8Array): JsonValue {
  const desc: DescMessage = messageIn(schema, type ?? FRAMES[from].typeName);
  return toJson(desc, fromBinary(desc, bytes));
}

interface Difference {
  readonly path: string;
  readonly what: string;
}

function differences(read: () => JsonValue, needed: JsonValue, how: { readonly strict: boolean }): Difference[] {
  try {
    return compare(read(), needed, '$', how);
  } catch (thrown) {
    return [{ path: '$', what: messageOf(thrown) }];
  }
}

/** What of `needed` is not in `found`. Strict: everything must be the same; otherwise what is more does not matter. */
function compare(
  found: JsonValue | undefined,
  needed: JsonValue,
  path: string,
  how: { readonly strict: boolean },
): Difference[] {
  if (found === undefined) return [{ path, what: `is missing, was ${JSON.stringify(needed)}` }];
  if (Array.isArray(needed)) return compareLists(found, needed, path, how);
  if (isObject(needed)) {
    if (!isObject(found)) return [{ path, what: `is ${JSON.stringify(found)} instead of a message` }];
    const lost = Object.entries(needed).flatMap(([key, value]) => compare(found[key], value, `${path}.${key}`, how));
    const more = how.strict ? Object.keys(found).filter((key) => !(key in needed)) : [];
    return [
      ...lost,
      ...more.map((key) => ({ path: `${path}.${key}`, what: `came up from nowhere: ${JSON.stringify(found[key])}` })),
    ];
  }
  return sameScalar(found, needed, path, how)
    ? []
    : [{ path, what: `is ${JSON.stringify(found)}, was ${JSON.stringify(needed)}` }];
}

function compareLists(
  found: JsonValue,
  needed: readonly JsonValue[],
  path: string,
  how: { readonly strict: boolean },
): Difference[] {
  if (!Array.isArray(found)) return [{ path, what: `is ${JSON.stringify(found)} instead of a list` }];
  if (!how.strict && GROWING.has(lastOf(path))) {
    return needed
      .filter((item) => !found.includes(item))
      .map((item) => ({ path, what: `lacks ${JSON.stringify(item)}` }));
  }
  if (found.length !== needed.length) return [{ path, what: `has ${found.length} elements, had ${needed.length}` }];
  return needed.flatMap((item, at) => compare(found[at], item, `${path}[${at}]`, how));
}

function sameScalar(found: JsonValue, needed: JsonValue, path: string, how: { readonly strict: boolean }): boolean {
  if (found === needed) return true;
  if (how.strict || typeof found !== typeof needed) return false;
  if (typeof found === 'string' && typeof needed === 'string' && DURATION.test(needed)) {
    const factor = DURATION.test(found) ? Number.parseFloat(found) / Number.parseFloat(needed) : 0;
    return factor * SPAN_FACTOR_MAX >= 1 && factor <= SPAN_FACTOR_MAX;
  }
  return FREE.has(lastOf(path));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).replace(/\[\d+\]$/, '');
}
