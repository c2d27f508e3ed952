import type { JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { candidateOf } from '../golden/candidate.ts';
import { checkGolden } from '../golden/check.ts';
import { isObject } from '../golden/frame.ts';
import { todaysFrames } from '../golden/make.ts';
import { supportedReleases } from '../releases/release.ts';
import { buildImage, schemaOf } from '../schema/image.ts';

type Path = readonly string[];

/** Paths of all fields, those of messages included; of lists the first element. */
function pathsOf(json: JsonValue, path: Path = []): Path[] {
  if (Array.isArray(json)) return json[0] === undefined ? [] : pathsOf(json[0], [...path, '0']);
  if (!isObject(json)) return [];
  return Object.entries(json).flatMap(([key, value]) => [[...path, key], ...pathsOf(value, [...path, key])]);
}

function dropAt(json: JsonValue | undefined, [key = '', ...rest]: Path): void {
  if (Array.isArray(json)) dropAt(json[Number(key)], rest);
  else if (isObject(json) && rest.length === 0) delete json[key];
  else if (isObject(json)) dropAt(json[key], rest);
}

test('whichever field that an agent needs is left out, it is noticed', async () => {
  const [release] = await supportedReleases(new Date().toISOString().slice(0, 10));
  if (release === undefined) throw new Error('no release is supported');
  const { frames, bodies } = await todaysFrames();
  const made = [...frames, ...bodies];
  const schema = schemaOf(await buildImage());
  expect(checkGolden(candidateOf(schema, made), release)).toEqual([]);
  const unnoticed: string[] = [];
  let dropped = 0;
  for (const [name, need] of release.needs) {
    for (const path of pathsOf(need)) {
      const candidate = candidateOf(schema, made, (json, frame) => {
        if (frame.name === name) dropAt(json, path);
        return json;
      });
      dropped += 1;
      if (checkGolden(candidate, release).length === 0) unnoticed.push(`${name}: ${path.join('.')}`);
    }
  }
  process.stdout.write(`fields left out and noticed: ${dropped - unnoticed.length} of ${dropped}\n`);
  expect(unnoticed).toEqual([]);
  expect(dropped).toBeGreaterThan(200);
});
